import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Baton, openBaton } from '../support/open-baton.ts'

/** Answers the flex tier as OpenAI and Groq do when it is full, and every other request well. */
const full: Readonly<Record<string, readonly [status: number, error: object]>> = {
  openai: [429, { message: 'Resource Unavailable', type: 'rate_limit_error', code: 'resource_unavailable' }],
  groq: [498, { message: 'Flex tier capacity exceeded', type: 'server_error', code: 'capacity_exceeded' }],
}
const calls: string[] = []
let upstream: Server
let baton: Baton

beforeAll(async () => {
  upstream = createServer(async (request, response) => {
    const { model, service_tier = 'default' } = (await json(request)) as Record<string, string>
    calls.push(`${model} ${service_tier}`)
    const [status, error] = (service_tier === 'flex' && full[model!]) || [200, null]
    response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '60' })
    const message = { role: 'assistant', content: 'Hi' }
    response.end(
      JSON.stringify(error ? { error } : { choices: [{ index: 0, message, finish_reason: 'stop' }] }),
    )
  })
  await new Promise<void>(resolve => upstream.listen(0, '127.0.0.1', resolve))
  const base_url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`
  const at = {
    type: 'openai',
    base_url,
    api_key: 'k',
    retries: 0,
    breaker: { min_calls: 1, error_percent: 1 },
  }
  baton = await openBaton({
    level: 'workers',
    config: {
      providers: { openai: at, groq: at, spare: at },
      models: {
        openai: { provider: 'openai', fallback_to: 'spare' },
        groq: { provider: 'groq', fallback_to: 'spare' },
        spare: { provider: 'spare' },
      },
    },
  })
})
afterAll(async () => {
  await baton.stop()
  upstream.closeAllConnections()
  upstream.close()
})

const run = async (model: string, tier: string) => {
  const parsedBody = { model, service_tier: tier, messages: [{ role: 'user', content: 'hi' }] }
  const job = await baton.ended(await baton.chat(model, { parsedBody, body: JSON.stringify(parsedBody) }))
  return job.attempts.map(({ provider, verdict }) => `${provider} ${verdict}`)
}

describe('the flex tier', () => {
  it.each([
    ['openai', 'rate_limited'],
    ['groq', 'overloaded'],
  ])('a full flex tier of %s is left alone, and the model goes on', async (model, verdict) => {
    expect(await run(model, 'flex')).toEqual([`${model} ${verdict}`, 'spare ok'])
    expect(await run(model, 'flex'), 'the tier cools').toEqual(['spare ok'])
    expect(await run(model, 'default'), 'the model does not').toEqual([`${model} ok`])
    expect(calls.filter(call => call.startsWith(model))).toEqual([`${model} flex`, `${model} default`])
    expect(baton.context.circuits.of(model).state).toBe('healthy')
  })
})
