import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { providerKeys, routeKeys, sections, types } from '../../src/config/other-words.ts'
import { providerTypes } from '../../src/config/provider-schema.ts'
import { configSchema } from '../../src/config/schema.ts'
import { faultsOf } from './config-folder.ts'

const sim = 'type: simulated'

/** A type that somebody writes, and the one that is meant. */
const meantTypes: readonly (readonly [written: string, meant: string])[] = [
  ['gemini', 'google'],
  ['claude', 'anthropic'],
  ['aws', 'bedrock'],
  ['azure-openai', 'azure'],
  ['azure_openai', 'azure'],
  ['kimi', 'moonshot'],
  ['grok', 'xai'],
  ['x-ai', 'xai'],
  ['together_ai', 'together'],
  ['vertexAI', 'vertex'],
  ['nvidia_nim', 'nvidia'],
  ['local', 'openai-compatible'],
  ['litellm', 'openai-compatible'],
  ['huggingface', 'openai-compatible'],
  ['openai_compatible', 'openai-compatible'],
  ['lm-studio', 'lmstudio'],
  ['deepsek', 'deepseek'],
  ['OpenAI', 'openai'],
]

/** A key that somebody writes, where, and the one that is meant. */
const meantKeys: readonly (readonly [text: string, meant: string | undefined])[] = [
  [`providers: {p: {${sim}, apiKey: k}}`, 'api_key'],
  [`providers: {p: {${sim}, key: k}}`, 'api_key'],
  [`providers: {p: {${sim}, baseURL: u}}`, 'base_url'],
  [`providers: {p: {${sim}, api_base: u}}`, 'base_url'],
  [`providers: {p: {${sim}, max_retries: 2}}`, 'retries'],
  [`providers: {p: {${sim}, maxRetries: 2}}`, 'retries'],
  [`providers: {p: {${sim}, rpm: 60}}`, 'limits.rpm'],
  [`providers: {p: {${sim}, max_parallel_requests: 60}}`, 'concurrency'],
  [`providers: {p: {${sim}, connect-timeout: 60s}}`, 'connect_timeout'],
  [`providers: {p: {${sim}, timeout_seconds: 60}}`, 'timeout'],
  [`providers: {p: {${sim}, consecutive_failures: 60}}`, 'breaker.consecutive_failures'],
  [`providers: {p: {${sim}, fallbacks: [q]}}`, undefined],
  [`providers: {p: {${sim}}}\nmodels: {m: {provider: p, fallback: n}}`, 'fallback_to'],
  [`providers: {p: {${sim}}}\nmodels: {m: {provider: p, fallbacks: [n]}}`, 'fallback_to'],
  [`providers: {p: {${sim}}}\nmodels: {m: {provider: p, model: n}}`, 'upstream_model'],
  [`providers: {p: {${sim}}}\nmodels: {m: {provider: p, max_tokens: 9}}`, 'max_output_tokens'],
  [`providers: {p: {${sim}}}\nmodels: {m: {provider: p, timeout: 9s}}`, undefined],
  ['model_list: []', 'providers'],
  ['groq: {}', 'providers.groq'],
  ['claude: {}', 'providers.anthropic'],
  ['routes: {}', 'models'],
  ['port: 80', 'server.port'],
  ['redis_url: redis://r', 'redis.url'],
  ['api_key: k', 'api_keys'],
  ['logging: debug', undefined],
  ['jobs: {completion_window_hours: 1}', 'completion_window'],
  ['jobs: {retention_ms: 1000}', 'retention'],
]

/** A value that is no duration, and the one that is meant. */
const meantTimes: readonly (readonly [written: string, meant: string | undefined])[] = [
  ['30', '30s'],
  ['"30"', '30s'],
  ['30000', '30s'],
  ['1500', '1500ms'],
  ['30 seconds', '30s'],
  ['5min', '5m'],
  ['1.5h', '90m'],
  ['2 days', '2d'],
  ['soon', undefined],
  ['-1s', undefined],
]

describe('what people write instead', () => {
  test.each(meantTypes)('the type %s is %s', (written, meant) => {
    const [fault, ...others] = faultsOf(`providers: {p: {type: ${written}}}`)
    expect([fault?.path, fault?.suggestion, others]).toEqual(['providers.p.type', meant, []])
  })

  test.each(meantKeys)('%s: %s', (text, meant) => {
    const [fault, ...others] = faultsOf(text)
    expect([fault?.code, fault?.suggestion, others]).toEqual(['unknown_key', meant, []])
    // Where there is no word, it is said what to do.
    if (meant === undefined) expect(fault?.message).toMatch(/^unknown key: \w/)
  })

  test.each(meantTimes)('a timeout of %s is %s', (written, meant) => {
    const [fault] = faultsOf(`providers: {p: {${sim}, timeout: ${written}}}`)
    expect([fault?.path, fault?.suggestion]).toEqual(['providers.p.timeout', meant])
  })

  test.each([
    ['groq', 'groq'],
    ['gemini', 'google'],
  ])('a route to %s, where there is no such provider, is told to write one', (provider, type) => {
    const [fault] = faultsOf(`providers: {mine: {${sim}}}\nmodels: {m: {provider: ${provider}}}`)
    expect(fault?.message).toBe(
      `there is no provider "${provider}": write one under providers, with type: ${type}`,
    )
  })

  test('a list of LiteLLM is told to be two tables', () => {
    expect(faultsOf('model_list: [{model_name: gpt-4}]')[0]?.message).toContain('providers')
  })

  interface Node {
    readonly properties?: Record<string, Node>
    readonly additionalProperties?: Node
  }
  const schema = z.toJSONSchema(configSchema, { io: 'output', unrepresentable: 'any' }) as Node
  const entryOf = (section: string): Node => schema.properties![section]!.additionalProperties!
  const has = (node: Node | undefined, place: string): boolean =>
    place.split('.').reduce<Node | undefined>((at, part) => at?.properties?.[part], node) !== undefined

  test('leads to words that there are, and away from none', () => {
    for (const [written, { suggestion }] of types) {
      expect(providerTypes).not.toContain(written)
      expect(suggestion === undefined || providerTypes).toContain(suggestion)
    }
    for (const [table, node] of [
      [providerKeys, entryOf('providers')],
      [routeKeys, entryOf('models')],
      [sections, schema],
    ] as const)
      for (const [written, { suggestion, advice }] of table) {
        expect([written, has(node, written)]).toEqual([written, false])
        expect([written, suggestion === undefined ? advice !== undefined : has(node, suggestion)]).toEqual([
          written,
          true,
        ])
      }
  })
})
