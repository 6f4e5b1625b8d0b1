import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'
import { createClient } from './client.ts'
import { submitted } from './rig.ts'

const day = 86_400

const answer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hello' } }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
}
const throttled = {
  error: { message: 'Rate limit reached', type: 'requests', param: null, code: 'rate_limit_exceeded' },
}
const badKey = {
  error: { message: 'Incorrect API key', type: 'invalid_request_error', code: 'invalid_api_key' },
}

/** A provider that turns calls away, in OpenAI's words, until it is told to serve. */
const openProvider = async (status: 401 | 429) => {
  const state = { serves: false, calls: 0 }
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      state.calls += 1
      const [code, body] = state.serves ? [200, answer] : [status, status === 429 ? throttled : badKey]
      response.writeHead(code, {
        'content-type': 'application/json',
        ...(code === 429 && { 'retry-after': String(day) }),
      })
      response.end(JSON.stringify(body))
    })
  })
  await new Promise<void>(ready => server.listen(0, '127.0.0.1', ready))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise(closed => server.close(closed))
  }
  return { state, url, close }
}

describe('baton resume', () => {
  it.each([
    ['throttled for a day', 429],
    ['stopped for a bad key', 401],
  ] as const)('`resume` gives back a provider that is %s, and its parked jobs go on', async (_, status) => {
    const provider = await openProvider(status)
    const site = await openBaton({
      level: 'processes',
      config: {
        redis: testRedis(),
        server: { port: 0 },
        providers: {
          only: {
            type: 'openai',
            base_url: provider.url,
            api_keys: ['k-1', 'k-2'],
            breaker: { min_calls: 10_000 },
          },
        },
        models: { plain: { provider: 'only' } },
      },
    })
    const api = await site.api()
    const client = createClient(() => api.url)
    try {
      await site.worker('only')
      const ids = await Promise.all(['a', 'b', 'c'].map(user => submitted(client, { model: 'plain', user })))
      for (const id of ids) await client.reached(id, 'parked')
      const { calls } = provider.state
      provider.state.serves = true
      const resumed = await fetch(`${api.url}/v1/providers/only/resume`, { method: 'POST' })
      expect(resumed.status).toBe(200)
      for (const id of ids) expect((await client.ended(id)).status).toBe('succeeded')
      expect(provider.state.calls).toBeLessThanOrEqual(calls + ids.length)

      // What comes later is served as well, by other processes, too.
      await site.worker('only')
      const late = await submitted(client, { model: 'plain', user: 'late' })
      expect((await client.ended(late)).status).toBe('succeeded')
      await until(async () => {
        const { data } = (await (await fetch(`${api.url}/v1/providers`)).json()) as {
          data: { status: string }[]
        }
        return data[0]!.status !== 'stopped' && data[0]!.status !== 'throttled'
      })
    } finally {
      await client.close()
      await site.close()
      await provider.close()
    }
  })
})
