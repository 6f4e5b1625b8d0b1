// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the config's own syntax for variables
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { configWarnings } from '../../src/config/warnings.ts'
import { configFolder } from './config-folder.ts'

const warningsOf = (text: string) =>
  configWarnings(loadConfig({ cwd: configFolder({ 'baton.yaml': text }), env: {} })).map(
    ({ code, path }) => `${code} ${path}`,
  )

const providers = 'providers: {a: {type: simulated}, b: {type: simulated}}\n'

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
  ['nothing at all', '', ['nothing_configured models']],
  [
    'providers without routes',
    'providers: {a: {type: simulated}}',
    ['nothing_configured models', 'unused_provider providers.a'],
  ],
])('%s', (_, text, warnings) => {
  expect(warningsOf(text)).toEqual(warnings)
})
