// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the config's own syntax for variables
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { configWarnings } from '../../src/config/warnings.ts'
import { configFolder, withProvider } from './config-folder.ts'

const warningsOf = (text: string) =>
  configWarnings(loadConfig({ cwd: configFolder({ 'baton.yaml': withProvider(text) }), env: {} })).map(
    ({ code, path }) => `${code} ${path}`,
  )

const providers = 'providers: {a: {type: simulated}, b: {type: simulated}}\n'

describe('warnings about a config', () => {
  test.each([
    [
      'a route over two providers',
      `${providers}models: {m: {provider: a, fallback_to: n}, n: {provider: b, fallback_to: o}, o: {provider: a}}`,
      ['one_provider_chain models.o'],
    ],
    [
      'two targets of one provider are no failover',
      'providers: {a: {type: simulated}}\nmodels: {m: {provider: a, fallback_to: n}, n: {provider: a}}',
      ['one_provider_chain models.m', 'one_provider_chain models.n'],
    ],
    [
      'a provider that no route uses',
      `${providers}models: {m: {provider: a}}`,
      ['one_provider_chain models.m', 'unused_provider providers.b'],
    ],
    [
      'an unused provider without its key',
      'providers: {a: {type: simulated}, b: {type: openai, api_key: "${NOWHERE}"}}\nmodels: {m: {provider: a}}',
      ['one_provider_chain models.m', 'unused_provider providers.b', 'missing_key providers.b'],
    ],
    [
      'a mirror at a provider that the route falls back to',
      `${providers}models: {m: {provider: a, fallback_to: n, mirror: {to: b/x}}, n: {provider: b, mirror: {to: a/x}}}`,
      ['one_provider_chain models.n', 'shared_mirror models.m.mirror.to'],
    ],
    [
      'connections that wait longer than the official clients do',
      `${providers}models: {m: {provider: a, fallback_to: n}, n: {provider: b}}\njobs: {sync_timeout: 10m}`,
      ['one_provider_chain models.n', 'long_sync_timeout jobs.sync_timeout'],
    ],
    [
      'providers without routes',
      'providers: {a: {type: simulated}}',
      ['nothing_configured models', 'unused_provider providers.a'],
    ],
    [
      'cheapest without the price of one',
      `${providers}models: {m: {provider: a, price: {input: 1, output: 1}, fallback_to: n, strategy: cheapest}, n: {provider: b, fallback_to: m2}, m2: {provider: a, upstream_model: x, fallback_to: n2}, n2: {provider: b, upstream_model: y}}`,
      ['one_provider_chain models.n2', 'unknown_price models.m.strategy'],
    ],
    [
      'cheapest where vendors’ prices are known',
      'providers: {a: {type: openai, api_key: k}, b: {type: anthropic, api_key: k}}\nmodels: {gpt-4o: {provider: a, fallback_to: o, strategy: cheapest}, o: {provider: b, upstream_model: claude-3-opus, fallback_to: gpt-4o-mini}, gpt-4o-mini: {provider: a}}',
      ['one_provider_chain models.gpt-4o-mini'],
    ],
  ])('%s', (_, text, warnings) => {
    expect(warningsOf(text)).toEqual(warnings)
  })

  test('no file at all', () => {
    const config = loadConfig({ cwd: configFolder({}), env: {} })
    expect(configWarnings(config).map(({ path }) => path)).toEqual(['models'])
  })

  const limited = (models: string) => `
providers:
  openai: {type: openai, api_keys: [k1, k2], limits: {rpm: 500, tpm: 90000}}
  local: {type: simulated, limits: {rpm: 60}}
  free: {type: simulated}
  anthropic: {type: anthropic, api_key: k, limits: {rpm: 1000, tpm: 40000}}
models:
  ${models}
`

  test.each([
    [
      'one key of the fallback takes less than all keys before it',
      limited('gpt: {provider: openai, fallback_to: claude}\n  claude: {provider: anthropic}'),
      [
        'providers.anthropic.limits.tpm: 40000 tokens a minute, but up to 180000 can come from openai (180000) (route gpt)',
      ],
    ],
    [
      'several routes are added up, each provider once',
      limited(
        'gpt: {provider: openai, fallback_to: claude}\n  gpt-5: {provider: openai, fallback_to: claude}\n' +
          '  llama: {provider: local, fallback_to: claude}\n  claude: {provider: anthropic}',
      ),
      [
        'providers.anthropic.limits.rpm: 1000 requests a minute, but up to 1060 can come from openai (1000) and local (60) together (routes gpt, gpt-5, llama)',
        'providers.anthropic.limits.tpm: 40000 tokens a minute, but any number can come from openai (180000) and local (no limit set) together (routes gpt, gpt-5, llama)',
      ],
    ],
    [
      'a fallback without limits takes all',
      limited('gpt: {provider: openai, fallback_to: llama}\n  llama: {provider: free}'),
      [],
    ],
    ['a first choice is sent what its clients send', limited('claude: {provider: anthropic}'), []],
    [
      'limits that are enough',
      limited('llama: {provider: local, fallback_to: gpt}\n  gpt: {provider: openai}').replace(
        'rpm: 60}',
        'rpm: 1000, tpm: 180000}',
      ),
      [],
    ],
  ])('limits of fallbacks: %s', (_, text, expected) => {
    const folder = configFolder({ 'baton.yaml': withProvider(text) })
    const warnings = configWarnings(loadConfig({ cwd: folder, env: {} }))
    const low = warnings.filter(({ code }) => code === 'fallback_limit')
    expect(low.map(({ path, message }) => `${path}: ${message}`)).toEqual(expected)
  })
})
