import { describe, expect, test } from 'vitest'
import { knownModels } from '../../src/config/known-models.ts'
import { presetNames, presets } from '../../src/config/presets.ts'
import { healthCheckOf } from '../../src/config/provider-settings.ts'
import { configSchema, type ProviderConfig } from '../../src/config/schema.ts'
import { openProvider, openUpstream } from '../contract/providers/open-provider.ts'
import { answering } from '../contract/providers/recording-upstream.ts'
import { readDoc, rowsOf, uncode } from '../docs/markdown.ts'
import { faultsOf } from './config-folder.ts'

/** One model of each vendor whose prices are known. */
const sold: Readonly<Record<string, string>> = {
  groq: 'llama-3.3-70b-versatile',
  deepseek: 'deepseek-v4-flash',
  together: 'meta-llama/Llama-3.3-70B-Instruct-Turbo',
  fireworks: 'accounts/fireworks/models/kimi-k2p6',
  openrouter: 'anthropic/claude-sonnet-4.6',
  xai: 'grok-4.3',
  perplexity: 'sonar-pro',
  cerebras: 'gpt-oss-120b',
  moonshot: 'kimi-k2.6',
}

const signal = new AbortController().signal
const settingsOf = (name: string, more: object = {}): ProviderConfig =>
  configSchema.parse({ providers: { p: { type: name, ...more } } }).providers.p!

describe.each(presetNames)('the preset %s', name => {
  const preset = presets[name]

  test('is a whole provider with its type, and its key where one is needed', () => {
    const faults = preset.key === 'needed' ? [{ path: 'providers.p.api_key' }] : []
    const text = `server: {port: 8100}\nproviders: {p: {type: ${name}}}\nmodels: {m: {provider: p}}`
    if (faults.length > 0) expect(faultsOf(text)).toMatchObject(faults)
    else expect(() => faultsOf(text)).toThrow('the config was accepted')
  })

  test('calls base_url where one is given, in the format of OpenAI, with the key of OpenAI', async () => {
    const upstream = await openUpstream(answering(200, { choices: [] }))
    const provider = openProvider({ type: name, base_url: `${upstream.url}/v1`, api_key: 'sk' })
    await provider.ping('m', 'sk', signal)
    expect(upstream.arrivals).toMatchObject([
      { path: '/v1/chat/completions', headers: { authorization: 'Bearer sk' } },
    ])
  })

  test('serves what it serves', () => {
    const provider = openProvider({ type: name, api_key: 'sk' })
    expect(provider.serves('/v1/chat/completions')).toBe('native')
    expect(provider.serves('/v1/messages')).toBe('translated')
    for (const endpoint of ['/v1/embeddings', '/v1/completions'] as const)
      expect([endpoint, provider.serves(endpoint)]).toEqual([
        endpoint,
        preset.lacks?.includes(endpoint) ? 'none' : 'native',
      ])
  })

  test('its prices are known where it sells anything', () => {
    const price = knownModels({ providers: { p: { type: name } } })('p', sold[name] ?? 'm')?.price
    expect(price !== undefined).toBe(preset.prices !== undefined)
    if (preset.prices !== undefined) expect(price!.output).toBeGreaterThan(0)
  })

  test('is asked for its health by itself where it sends no bills', () => {
    expect(healthCheckOf(settingsOf(name)) !== null).toBe(preset.key === 'taken')
    expect(healthCheckOf(settingsOf(name, { api_key: 'k' }))).toBeNull()
  })
})

describe('the check of a key', () => {
  const pathOf = async (type: string): Promise<string | undefined> => {
    const upstream = await openUpstream(answering(200, { data: {} }))
    await openProvider({ type, base_url: `${upstream.url}/v1`, api_key: 'sk' }).check('sk', signal)
    return upstream.arrivals[0]?.path
  }

  test('asks for what only a good key gets', async () => {
    expect(await pathOf('groq')).toBe('/v1/models')
    // Anybody may read its models.
    expect(await pathOf('openrouter')).toBe('/v1/key')
    // It has no list of them.
    expect(await pathOf('perplexity')).toBe('/v1/chat/completions')
  })
})

test('a provider where Baton itself listens is a fault', () => {
  const text = (settings: string): string => `providers: {p: {${settings}}}\nmodels: {m: {provider: p}}`
  expect(faultsOf(text('type: vllm'))).toMatchObject([
    { path: 'providers.p.base_url', message: expect.stringContaining('127.0.0.1:8000') },
  ])
  expect(faultsOf(text('type: openai-compatible, base_url: "http://localhost:8000/v1"'))).toHaveLength(1)
  expect(faultsOf(text('type: openai-compatible, base_url: "http://[::1]:8000/v1"'))).toHaveLength(1)
  expect(() => faultsOf(text('type: vllm, base_url: "http://gpu:8000/v1"'))).toThrow('accepted')
  expect(() => faultsOf(`server: {port: 8100}\n${text('type: vllm')}`)).toThrow('accepted')
})

test('docs/providers.md tells of each', () => {
  const rows = rowsOf(readDoc('docs/providers.md')).map(row => row.map(uncode))
  for (const name of presetNames) {
    const { baseUrl, keyVariable, key } = presets[name]
    const row = rows.find(([type, address]) => type === name && address?.startsWith('http'))
    expect(row?.slice(0, 3)).toEqual([
      name,
      baseUrl,
      key === 'needed' ? keyVariable : `\`${keyVariable}\`, if any`,
    ])
  }
})
