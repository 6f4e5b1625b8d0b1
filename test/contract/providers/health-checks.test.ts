import { describe, expect, test } from 'vitest'
import { canListModels } from '../../../src/config/provider-settings.ts'
import { openProvider, openUpstream } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { openVendor, vendors } from './vendors/all.ts'

const { signal } = new AbortController()

describe('health checks', () => {
  test.each(vendors)('the config knows whether $name has a list of models to ask for', async vendor => {
    const upstream = await openUpstream(answering(200, { data: [] }))
    await (await openVendor(vendor, upstream)).check(vendor.key, signal)
    const { type } = (await vendor.settings(upstream.url)) as { type: string }
    expect(upstream.arrivals.every(({ text }) => text === '')).toBe(canListModels(type))
  })

  test.each([
    ['openai', '/v1', '/v1/chat/completions', { max_completion_tokens: 1 }],
    ['openai-compatible', '/v1', '/v1/chat/completions', { max_tokens: 1 }],
    ['anthropic', '', '/v1/messages', { max_tokens: 1 }],
    ['azure', '', '/openai/v1/chat/completions', { max_completion_tokens: 1 }],
  ] as const)('%s is asked for one token in its own format', async (type, base, path, limit) => {
    const upstream = await openUpstream(answering(200, {}))
    const provider = openProvider({ type, base_url: upstream.url + base, api_key: 'sk' })
    await provider.ping('m', 'sk', signal)
    expect(upstream.arrivals).toMatchObject([{ path }])
    expect(upstream.body()).toEqual({ model: 'm', messages: [{ role: 'user', content: 'ping' }], ...limit })
  })

  test.each(vendors)('$name is asked for one token in its own format', async vendor => {
    const upstream = await openUpstream(answering(200, vendor.answer({ text: 'p' })))
    const provider = await openVendor(vendor, upstream)
    expect(await provider.ping(vendor.model, vendor.key, signal)).toMatchObject({ status: 200 })
    const call = vendor.read(upstream.body() as Record<string, unknown>)
    expect(call).toMatchObject({ turns: ['user: ping'], maxTokens: 1 })
  })
})
