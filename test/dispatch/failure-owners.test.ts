import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call } from '../api/test-api.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'
import { answers } from '../support/vendors.ts'
import { callersFaults, type FailureCase, refusals, targetsFaults, throttles } from './failure-owner-cases.ts'

const cases = [...targetsFaults, ...callersFaults, ...refusals, ...throttles]

let calls: string[]
let upstream: Server
let baton: BatonApi

beforeAll(async () => {
  const replies = new Map(cases.map(({ reply }, i) => [`m${i}`, reply]))
  calls = []
  upstream = createServer(async (request, response) => {
    const { model } = (await json(request)) as { model: string }
    calls.push(model)
    const reply = replies.get(model) ?? { status: 200, body: answers.chat }
    const isText = typeof reply.body === 'string'
    response.writeHead(reply.status, {
      'content-type': isText ? 'text/html' : 'application/json',
      ...reply.headers,
    })
    response.end(isText ? reply.body : JSON.stringify(reply.body))
  })
  await new Promise<void>(resolve => upstream.listen(0, '127.0.0.1', resolve))
  const at = {
    ...{ type: 'openai', api_key: 'k', retries: 0 },
    base_url: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`,
    // One failure that counted would open it, for longer than anybody waits here.
    breaker: { min_calls: 1, error_percent: 1, consecutive_failures: 1, reset: '10m' },
  }
  const provided = (way: string) => cases.map((_, i) => [`${way}${i}`, at] as const)
  const routed = (way: string, more: object) =>
    cases.map((_, i) => [`${way}${i}`, { provider: `${way}${i}`, upstream_model: `m${i}`, ...more }] as const)
  baton = await openBaton({
    level: 'api',
    config: {
      providers: Object.fromEntries([...provided('backed'), ...provided('alone'), ['well', at]]),
      models: Object.fromEntries([
        ...routed('backed', { fallback_to: 'well', on_refusal: 'handover' }),
        ...routed('alone', {}),
        ['well', { provider: 'well' }],
      ]),
    },
  })
})
afterAll(async () => {
  await baton.stop()
  upstream.closeAllConnections()
  upstream.close()
})

const ask = async (model: string) => {
  const body = { model, messages: [{ role: 'user', content: 'hi' }] }
  const url = { url: baton.url }
  const answer = await call(url, 'POST', '/v1/chat/completions', {
    body,
    headers: { 'x-baton-timeout': '30' },
  })
  const { json: job } = await call(url, 'GET', `/v1/jobs/${answer.headers.get('x-baton-job-id')}`)
  return {
    ...answer,
    verdicts: job.attempts.map(({ verdict }: { verdict: string }) => verdict).join(' '),
    job,
  }
}
const at = (i: number) => `m${i}`
const callsOf = (i: number): number => calls.filter(name => name === at(i)).length
const stateOf = (provider: string) => baton.context.circuits.of(provider).state
const indexed = (some: readonly FailureCase[]) =>
  some.map(each => [each.name, each, cases.indexOf(each)] as const)

describe('whose fault a failure is', () => {
  describe("a target's own fault", () => {
    it.each(indexed(targetsFaults))('%s is answered by the next one', async (_, { verdict }, i) => {
      const { status, headers, verdicts } = await ask(`backed${i}`)
      expect([status, headers.get('x-baton-provider'), verdicts]).toEqual([200, 'well', `${verdict} ok`])
      expect(callsOf(i)).toBe(1)
      if (verdict === 'unsupported') expect(stateOf(`backed${i}`)).toBe('healthy')
    })

    it.each(indexed(targetsFaults.filter(({ says }) => says)))(
      '%s is told in its words where there is no other',
      async (_, { verdict, says }, i) => {
        const { status, json: answer, job, verdicts } = await ask(`alone${i}`)
        expect(status).toBeGreaterThanOrEqual(400)
        expect(answer.error.message).toContain(says)
        expect(job.error.last_error.message).toContain(says)
        if (verdict === 'unsupported') {
          expect([verdicts, job.error.code]).toEqual(['unsupported', 'upstream_rejected'])
          expect(stateOf(`alone${i}`)).toBe('healthy')
        }
      },
    )
  })

  it.each(indexed(callersFaults))(
    'a fault of the caller, %s, ends at once in its words though another target stands behind',
    async (_, { reply, says, verdict }, i) => {
      const { status, json: answer, verdicts } = await ask(`backed${i}`)
      expect([status, verdicts, callsOf(i)]).toEqual([reply.status, verdict, 1])
      expect(answer.error.message).toContain(says)
      expect(stateOf(`backed${i}`)).toBe('healthy')
    },
  )

  describe('a refusal in the form of an error', () => {
    it.each(indexed(refusals))('%s is handed over where the route says so', async (_, __, i) => {
      const { status, headers, verdicts } = await ask(`backed${i}`)
      expect([status, headers.get('x-baton-provider'), verdicts]).toEqual([200, 'well', 'refused ok'])
      expect([callsOf(i), stateOf(`backed${i}`)]).toEqual([1, 'healthy'])
    })

    it.each(indexed(refusals))('%s ends the job as it is elsewhere', async (_, { says }, i) => {
      const { status, json: answer, verdicts, job } = await ask(`alone${i}`)
      expect([verdicts, status >= 400 && status < 500]).toEqual(['refused', true])
      expect(answer.error.message).toContain(says)
      expect(job.error.code).toBe('refused')
    })
  })

  describe('a 429', () => {
    it.each(indexed(throttles))('%s is obeyed, and another target answers', async (_, { verdict }, i) => {
      expect((await ask(`backed${i}`)).verdicts).toBe(`${verdict} ok`)
      expect((await ask(`backed${i}`)).verdicts).toBe('ok')
      expect(callsOf(i)).toBe(1)
    })

    it.each(indexed(throttles))(
      '%s says when to come again where there is no other',
      async (_, { says }, i) => {
        const { status, headers, json: answer } = await ask(`alone${i}`)
        expect(status).toBe(429)
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(50)
        expect(answer.error.message).toContain(says)
      },
    )
  })
})
