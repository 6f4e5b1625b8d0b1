import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import type { Endpoint } from '../../src/domain/endpoint.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'
import { cases, chat, type Vendor } from './paid-answer-cases.ts'

const vendors: Readonly<Record<Vendor, object>> = {
  openai: { type: 'openai', api_key: 'k' },
  anthropic: { type: 'anthropic', api_key: 'k' },
  google: { type: 'google', api_key: 'k' },
  cohere: { type: 'cohere', api_key: 'k' },
  bedrock: { type: 'bedrock', api_key: 'k', region: 'us-east-1' },
  mistral: { type: 'mistral', api_key: 'k' },
}

/** What is answered to a model, as its vendor writes it; to any other, well and in OpenAI's format. */
let replies: Map<string, unknown>
let calls: string[]
let upstream: Server
let baton: BatonApi

/** Gemini and Bedrock have the model in the path. */
const modelIn = (path: string, body: { model?: string }): string =>
  body.model ?? /(?:models|model)\/([\w-]+)/.exec(path)![1]!

beforeAll(async () => {
  replies = new Map(cases.map(([, , , body], i) => [`m${i}`, body]))
  calls = []
  upstream = createServer(async (request, response) => {
    const model = modelIn(request.url!, (await json(request)) as { model?: string })
    calls.push(model)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(replies.get(model) ?? chat('stop', { content: 'well' })))
  })
  await new Promise<void>(resolve => upstream.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  const paths: Partial<Record<Vendor, string>> = {
    openai: '/v1',
    mistral: '/v1',
    google: '/v1beta',
    cohere: '/v2',
  }
  // One failure that counted would shut it for the cases behind.
  const at = { retries: 0, breaker: { min_calls: 1, error_percent: 1 } }
  baton = await openBaton({
    level: 'api',
    config: {
      jobs: { sync_timeout: '1m' },
      providers: {
        ...Object.fromEntries(
          cases.map(([, vendor], i) => [
            `p${i}`,
            { ...vendors[vendor], ...at, base_url: `${base}${paths[vendor] ?? ''}` },
          ]),
        ),
        well: { type: 'openai', api_key: 'k', base_url: `${base}/v1` },
      },
      models: {
        ...Object.fromEntries(cases.map((_, i) => [`m${i}`, { provider: `p${i}`, fallback_to: 'well' }])),
        well: { provider: 'well' },
      },
    },
  })
})
afterAll(async () => {
  await baton.stop()
  upstream.closeAllConnections()
  upstream.close()
})

const ask = async (model: string, endpoint: Endpoint) => {
  const parsedBody = { model, max_tokens: 16, messages: [{ role: 'user', content: 'hi' }] }
  const submitted = await baton.submit({
    ...{ tenant: 'default', endpoint, model, parsedBody, body: JSON.stringify(parsedBody), headers: null },
    ...{
      windowMs: 60_000,
      webhook: null,
      metadata: null,
      priority: 'default',
      retryOf: null,
      idempotency: null,
    },
  } as never)
  return baton.ended(submitted.id)
}

describe('an answer that was paid for', () => {
  it.each(cases.map((given, i) => [i, ...given] as const))(
    '%i: %s, of %s for %s',
    async (i, _name, _vendor, endpoint, reply, verdicts, end, holds) => {
      const model = `m${i}`
      const job = await ask(model, endpoint)
      expect(job.attempts.map(({ verdict }) => verdict).join(' ')).toBe(verdicts)
      expect(job.error?.code ?? job.status).toBe(end)
      expect(calls.filter(name => name === model)).toHaveLength(1)
      if (holds) expect(JSON.parse(job.response!.body)).toMatchObject(holds)
      if (end === 'untranslatable_answer') expect(JSON.parse(job.response!.body)).toEqual(reply)
      const isFailure = verdicts.startsWith('transient')
      const state = () => baton.context.circuits.of(`p${i}`).state
      if (isFailure) await until(() => state() !== 'healthy')
      else expect(state()).toBe('healthy')
    },
  )
})
