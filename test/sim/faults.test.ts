import { describe, expect, test } from 'vitest'
import type { BehaviourInput } from '../../src/sim/behaviour.ts'
import { errorKinds, type FaultKind } from '../../src/sim/behaviour.ts'
import { ask, post, startSim } from './provider-fixture.ts'

const now = () => Date.UTC(2026, 0, 1)
const html = (title: string) =>
  `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`

const openAi = (message: string, type: string, param: string | null, code: string | null) =>
  JSON.stringify({ error: { message, type, param, code } })
const anthropic = (type: string, message: string) =>
  JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_sim1' })

type Row = readonly [kind: FaultKind, status: number, body: string]

// biome-ignore format: a table
const openAiRows: readonly Row[] = [
  ['throttle', 429, openAi('Rate limit reached for m in organization org-sim on requests per min (RPM): Limit 60, Used 60, Requested 1. Please try again in 20s.', 'requests', null, 'rate_limit_exceeded')],
  ['error-500', 500, openAi('The server had an error while processing your request. Sorry about that!', 'server_error', null, 'internal_error')],
  ['error-502-html', 502, html('502 Bad Gateway')],
  ['error-503', 503, openAi('The server is temporarily unable to process your request.', 'server_error', null, null)],
  ['overloaded', 503, openAi('The engine is currently overloaded, please try again later.', 'service_unavailable_error', null, 'server_is_overloaded')],
  ['html-error', 403, html('403 Forbidden')],
  ['insufficient_quota', 429, openAi('You exceeded your current quota, please check your plan and billing details.', 'insufficient_quota', null, 'insufficient_quota')],
  ['bad-key', 401, openAi('Incorrect API key provided.', 'invalid_request_error', null, 'invalid_api_key')],
  ['context-too-long', 400, openAi("This model's maximum context length is 8192 tokens. However, your messages resulted in 10012 tokens. Please reduce the length of the messages.", 'invalid_request_error', 'messages', 'context_length_exceeded')],
  ['unknown-model', 404, openAi('The model `m` does not exist or you do not have access to it.', 'invalid_request_error', null, 'model_not_found')],
  ['bad-request', 400, openAi("Invalid type for 'temperature': expected a decimal, but got a string instead.", 'invalid_request_error', 'temperature', 'invalid_type')],
]

// biome-ignore format: a table
const anthropicRows: readonly Row[] = [
  ['throttle', 429, anthropic('rate_limit_error', "This request would exceed your organization's rate limit of 60 requests per minute.")],
  ['error-500', 500, anthropic('api_error', 'Internal server error')],
  ['error-502-html', 502, html('502 Bad Gateway')],
  ['error-503', 503, anthropic('api_error', 'Service Unavailable')],
  ['overloaded', 529, anthropic('overloaded_error', 'Overloaded')],
  ['html-error', 403, html('403 Forbidden')],
  ['insufficient_quota', 400, anthropic('invalid_request_error', 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.')],
  ['bad-key', 401, anthropic('authentication_error', 'invalid x-api-key')],
  ['context-too-long', 400, anthropic('invalid_request_error', 'prompt is too long: 210012 tokens > 200000 maximum')],
  ['unknown-model', 404, anthropic('not_found_error', 'model: m')],
  ['bad-request', 400, anthropic('invalid_request_error', 'max_tokens: Field required')],
]

const fault = (kind: FaultKind): BehaviourInput => ({
  fault: { kind, ...(kind === 'throttle' ? { ms: 20_000 } : {}) },
})

const faults = [
  ['/v1/chat/completions', 'x-request-id', openAiRows],
  ['/v1/messages', 'request-id', anthropicRows],
] as const

describe('faults of the simulated provider', () => {
  describe.each(faults)('%s', (path, requestIdName, rows) => {
    test('has a row for every error', () => {
      expect(rows.map(([kind]) => kind)).toEqual(errorKinds)
    })

    test.each(rows)('%s is a %i with its own body, set or scripted', async (kind, status, body) => {
      const sim = await startSim({ behaviour: fault(kind), now })
      const set = await post(`${sim.url}${path}`, ask('m'))
      expect([set.status, set.text]).toEqual([status, body])
      const isHtml = body.startsWith('<')
      expect(set.headers.get('content-type')).toBe(isHtml ? 'text/html' : 'application/json')
      expect(set.headers.get(requestIdName)).toBe(isHtml ? null : 'req_sim1')
      expect(sim.calls.outcomes).toEqual({ [kind]: 1 })

      sim.script({})
      const text = kind === 'throttle' ? 'throttle-20000ms' : kind
      const scripted = await post(`${sim.url}${path}`, ask('m'), { 'x-sim-script': `${text}-then-ok` })
      expect([scripted.status, scripted.text]).toEqual([status, body.replace('req_sim1', 'req_sim2')])
      expect(sim.calls.outcomes).toEqual({ [kind]: 2 })
    })
  })

  test('a scripted 429 of OpenAI says how long to stay away', async () => {
    const sim = await startSim({ behaviour: fault('throttle'), now })
    const { headers } = await post(`${sim.url}/v1/chat/completions`, ask('m'))
    expect(headers.get('retry-after')).toBe('20')
    expect(headers.get('retry-after-ms')).toBeNull()
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('0')
    expect(headers.get('x-ratelimit-reset-requests')).toBe('20s')
  })

  test('a scripted 429 of Anthropic says how long to stay away', async () => {
    const sim = await startSim({ behaviour: fault('throttle'), now })
    const { headers } = await post(`${sim.url}/v1/messages`, ask('m'))
    expect(headers.get('retry-after')).toBe('20')
    expect(headers.get('anthropic-ratelimit-requests-remaining')).toBe('0')
    expect(headers.get('anthropic-ratelimit-requests-reset')).toBe('2026-01-01T00:00:20Z')
  })

  test('a scripted 429 may let the next call come at once, which whole seconds cannot say', async () => {
    const sim = await startSim({})
    const { headers } = await post(`${sim.url}/v1/chat/completions`, ask('throttle-0ms'))
    expect(headers.get('retry-after')).toBe('1')
    expect(headers.get('retry-after-ms')).toBe('0')
  })

  test.each(faults)('%s: an empty account gives no time to come back', async path => {
    const sim = await startSim({ behaviour: fault('insufficient_quota') })
    const { headers } = await post(`${sim.url}${path}`, ask('m'))
    expect(headers.get('retry-after')).toBeNull()
  })
})
