// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the config's own syntax for variables
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Fault } from '../../src/config/fault.ts'
import { providerTypes } from '../../src/config/provider-schema.ts'
import { errorOf, faultsOf } from './config-folder.ts'

const sim = '{type: simulated}'

describe('faults of a config', () => {
  describe('one fault, with its path, line and suggestion', () => {
    const cases: [name: string, text: string, fault: Partial<Fault>][] = [
      [
        'a number of the wrong kind',
        'providers:\n  openai:\n    type: simulated\n    retries: many',
        {
          code: 'invalid',
          path: 'providers.openai.retries',
          message: 'expected a number, found text',
          line: 4,
        },
      ],
      ...['soon', '30', '30 s', '-1s', '{}'].map((text): [string, string, Partial<Fault>] => [
        `a duration written as ${text}`,
        `providers:\n  openai: {type: simulated, timeout: ${text}}`,
        {
          code: 'invalid',
          path: 'providers.openai.timeout',
          message: 'expected a duration such as 500ms, 30s, 5m, 24h or 7d',
          line: 2,
          ...(text.startsWith('30') && { suggestion: '30s' }),
        },
      ]),
      [
        'a duration out of range',
        'dns: {timeout: 5m}',
        { code: 'invalid', path: 'dns.timeout', message: 'expected 100ms to 1m', line: 1 },
      ],
      [
        'a duration that is too short',
        'jobs: {lease: 500ms}',
        { code: 'invalid', path: 'jobs.lease', message: 'expected at least 1s', line: 1 },
      ],
      [
        'a number out of range',
        `providers:\n  p: {type: simulated, retries: 11}`,
        { code: 'invalid', path: 'providers.p.retries', message: 'expected at most 10', line: 2 },
      ],
      [
        'a number with a fraction',
        'server: {port: 80.5}',
        { code: 'invalid', path: 'server.port', message: 'expected a whole number', line: 1 },
      ],
      [
        'a missing setting',
        'models:\n  m: {}',
        { code: 'invalid', path: 'models.m.provider', message: 'is required', line: 2 },
      ],
      [
        'a section of the wrong kind',
        'server: [1]',
        {
          code: 'invalid',
          path: 'server',
          message: 'expected settings (`key: value`), found a list',
          line: 1,
        },
      ],
      [
        'a document of the wrong kind',
        '- a',
        {
          code: 'invalid',
          path: '',
          message:
            'expected the sections of a config, providers and models first, as baton.example.yaml has them',
        },
      ],
      [
        'a choice that is none',
        'providers: {p: {type: simulatd}}',
        {
          code: 'invalid',
          path: 'providers.p.type',
          message: `expected one of ${providerTypes.join(', ')}`,
          suggestion: 'simulated',
        },
      ],
      [
        'a provider without a type',
        'providers: {p: {}}',
        { code: 'invalid', path: 'providers.p.type', message: 'is required' },
      ],
      [
        'a provider name that cannot be a queue',
        'providers: {Open AI: {type: simulated}}',
        { code: 'invalid', path: 'providers.Open AI', message: 'provider names are a-z, 0-9, - and _' },
      ],
      [
        'a key with a line end',
        'providers: {p: {type: openai, api_key: "sk-1\\n"}}',
        {
          code: 'invalid',
          path: 'providers.p.api_key',
          message: 'expected a key without spaces or line ends',
        },
      ],
      [
        'a header with a line end',
        'providers: {p: {type: simulated, headers: {a: "b\\nc: d"}}}',
        {
          code: 'invalid',
          path: 'providers.p.headers.a',
          message: 'expected the value of an HTTP header, on one line',
        },
      ],
      [
        'a fallback of the wrong kind',
        `providers: {p: ${sim}}\nmodels: {m: {provider: p, fallback_to: 3}}`,
        {
          code: 'invalid',
          path: 'models.m.fallback_to',
          message:
            'expected the name of a route, or a list of them: a fallback is a route of its own under models, and named here',
        },
      ],
      [
        'an unknown section',
        'provider: {}',
        { code: 'unknown_key', path: 'provider', suggestion: 'providers', line: 1 },
      ],
      [
        'an unknown key',
        'providers:\n  p:\n    type: simulated\n    timout: 1s',
        { code: 'unknown_key', path: 'providers.p.timout', suggestion: 'timeout', line: 4 },
      ],
      [
        'an unknown key deep down',
        'providers: {p: {type: simulated, breaker: {windowMs: 1}}}',
        { code: 'unknown_key', path: 'providers.p.breaker.windowMs', suggestion: 'window' },
      ],
      [
        'an unknown key in a list',
        'api_keys:\n  - {key: a}\n  - {key: b, tennant: c}',
        { code: 'unknown_key', path: 'api_keys[1].tennant', suggestion: 'tenant', line: 3 },
      ],
      [
        'an unknown key like no other',
        'colour: red',
        { code: 'unknown_key', path: 'colour', message: 'unknown key' },
      ],
      [
        'a missing variable',
        'webhooks:\n  secret: "${HOOK}"',
        {
          code: 'missing_variable',
          path: 'webhooks.secret',
          message: 'HOOK is set neither in the environment nor in .env',
          line: 2,
        },
      ],
      [
        'a missing variable in a list of client keys',
        'server: {host: 0.0.0.0}\napi_keys: ["${A}"]',
        { code: 'missing_variable', path: 'api_keys[0]' },
      ],
      [
        'a malformed variable',
        'webhooks: {secret: "${NO GOOD}"}',
        { code: 'invalid', path: 'webhooks.secret', message: 'expected ${NAME} or ${NAME:-default}' },
      ],
      [
        'a variable without its end',
        'redis: {url: "redis://${HOST_NAME"}',
        { code: 'invalid', path: 'redis.url', message: 'expected ${NAME} or ${NAME:-default}' },
      ],
    ]

    test.each(cases)('%s', (_, text, expected) => {
      const faults = faultsOf(text)
      expect(faults).toHaveLength(1)
      expect(faults[0]).toMatchObject(expected)
      expect(faults[0]?.suggestion).toBe(expected.suggestion)
    })
  })

  describe('files that are not YAML', () => {
    test.each([
      ['a bracket left open', 'server: {port: 1\nmodels: {}', 2],
      ['a key twice', 'server: {}\nmodels: {}\nserver: {}', 3],
      ['an unknown anchor', 'server: *nothing', undefined],
    ])('%s', (_, text, line) => {
      const [fault] = faultsOf(text)
      expect(fault).toMatchObject({ code: 'syntax', path: '' })
      expect(fault?.line).toBe(line)
    })

    test('the place is told by line and column', () => {
      expect(faultsOf('a: 1\nb: "x" y\n')[0]).toMatchObject({ line: 2, column: 8 })
    })
  })

  describe('secrets', () => {
    const secret = 'sk-secret-1234567890'

    test.each([
      ['in broken YAML', `providers: {p: {type: openai, api_key: ${secret}]}`],
      ['after a bracket too many', `providers: {p: {type: openai}}}${secret}`],
      ['after a block scalar sign', `api_keys: |${secret}\n  x`],
      ['taken for an alias', `webhooks: {secret: *${secret}}`],
      ['in text after a text', `providers:\n  p:\n    api_key: "x" ${secret}`],
      ['in a setting of the wrong kind', `providers: {p: {type: openai, api_keys: ${secret}}}`],
      ['in a malformed variable', `providers: {p: {type: openai, api_key: "\${${secret}"}}`],
      ['in a webhook secret', `webhooks: {secret: ${secret}}`],
      ['in the address of Redis', `redis: {url: "http://:${secret}@redis"}`],
    ])('are never in a fault: %s', (_, text) => {
      expect(inspect(errorOf(text), { depth: null })).not.toContain('secret-1')
    })
  })

  test('a bad file tells everything at once, in the order of its lines', () => {
    const text = `
provider: {}
providers:
  openai: {type: openai, api_key: "\${OPENAI_API_KEY}", timout: 5s}
  local: {type: openai-compatible, concurrency: many}
models:
  a: {provider: opnai, fallback_to: b}
  b: {provider: local, fallback_to: [a, c]}
  d: {provider: openai}
webhooks: {allowed_networks: [everything], secret: "\${HOOK}"}
server: {host: 0.0.0.0}
`
    expect(faultsOf(text).map(({ line, path }) => `${line} ${path}`)).toEqual([
      '2 provider',
      '4 providers.openai.api_key',
      '4 providers.openai.timout',
      '5 providers.local.concurrency',
      '5 providers.local.base_url',
      '7 models.a.provider',
      '7 models.a.fallback_to',
      '8 models.b.fallback_to[1]',
      '10 webhooks.secret',
      '10 webhooks.allowed_networks[0]',
      '11 server.host',
    ])
  })

  test('the error reads well in a terminal', () => {
    const error = errorOf('server:\n  prot: 1')
    expect(error.message).toBe(`${error.file}:\n  line 2, server.prot: unknown key; did you mean "port"?`)
  })
})
