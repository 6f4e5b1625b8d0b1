import './recorded-spans.ts'

import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { configSchema } from '../../src/config/schema.ts'
import { createGenerations, type Generations } from '../../src/generations.ts'
import { createVitals } from '../../src/health/vitals.ts'
import { createLogger } from '../../src/lifecycle/logger.ts'
import { rolesOf } from '../../src/named-roles.ts'
import { field, file, postForm } from '../api/forms.ts'
import { call } from '../api/test-api.ts'
import { answering, type RecordingUpstream, startUpstream } from '../contract/providers/recording-upstream.ts'
import { testRedis } from '../support/redis.ts'
import { recorded } from './recorded-spans.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const answer = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
}
const chat = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }

const lines: Record<string, unknown>[] = []
let folder: string
let upstream: RecordingUpstream
let receiver: RecordingUpstream
let generations: Generations
let concurrency = 4

/** All roles, as one process has them. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-test-traces-'))
  upstream = await startUpstream(answering(200, answer))
  receiver = await startUpstream(answering(200, {}))
  const { url, prefix } = testRedis()
  const read = () => {
    const config = configSchema.parse({
      redis: { prefix },
      server: { port: 0 },
      storage: { path: folder },
      webhooks: {
        allowed_networks: ['127.0.0.0/8'],
        secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
      },
      providers: { p: { type: 'openai', base_url: upstream.url, api_key: 'k', concurrency } },
      models: { m: { provider: 'p' } },
    })
    return { config, again: () => config }
  }
  generations = createGenerations({
    read,
    rolesOf: config => rolesOf([], config),
    redisAt: url,
    graceMs: 5_000,
    log: createLogger('debug', { write: line => void lines.push(JSON.parse(line)) }),
    env: {},
  })
  await generations.start(read(), createVitals())
})
afterAll(async () => {
  await generations.stop(5_000)
  await Promise.all([upstream.close(), receiver.close()])
  await rm(folder, { recursive: true, force: true })
})

const api = () => ({ url: lines.find(({ msg }) => msg === 'api listening')!.url as string })

/** Sends what `fetch` would join to one header. */
const submit = async (headers: Record<string, string | string[]>): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const sent = request(
    `${api().url}/v1/jobs`,
    { method: 'POST', headers: { ...headers, 'content-type': 'application/json' } },
    response => text(response).then(resolve, reject),
  )
  sent.once('error', reject)
  sent.end(JSON.stringify({ body: chat, webhook: { url: `${receiver.url}/hook` } }))
  return JSON.parse(await promise).id
}

/** What the receiver of a job's webhook was told, and the trace that it was told of. */
const announced = async (id: string) => {
  const { headers } = await until(() => receiver.arrivals.find(({ text }) => text.includes(id)))
  const [version, trace, span, flags] = (headers.traceparent as string).split('-')
  return { headers, version, trace, span, flags }
}
const spansOf = (trace: string | undefined) =>
  recorded.getFinishedSpans().filter(span => span.spanContext().traceId === trace)

describe('the trace of a job', () => {
  const valid = `00-${traceId}-${spanId}-01`
  it.each<[string, Record<string, string | string[]>]>([
    ['a version to come, by its first four fields', { traceparent: `cc-${traceId}-${spanId}-01-what-ever` }],
    ['a `tracestate` that is too long', { traceparent: valid, tracestate: `a=${'x'.repeat(4_000)}` }],
    ['several `tracestate`', { traceparent: valid, tracestate: ['a=1', 'b=2'] }],
    ['baggage', { traceparent: valid, baggage: `key=${'x'.repeat(4_000)},other=1` }],
  ])('is that of its client by %s', async (_what, headers) => {
    const { trace, version, flags, span, headers: told } = await announced(await submit(headers))
    expect([version, trace, flags]).toEqual(['00', traceId, '01'])
    expect([told.tracestate, told.baggage]).toEqual([undefined, undefined])
    await until(() => spansOf(trace).some(each => each.spanContext().spanId === span))
    expect(spansOf(trace).find(each => each.spanContext().spanId === span)).toMatchObject({ name: 'webhook' })
  })

  it.each<[string, Record<string, string | string[]>]>([
    ['no `traceparent`', {}],
    ['a malformed one', { traceparent: 'nonsense' }],
    ['a version that there is not', { traceparent: `ff-${traceId}-${spanId}-01` }],
    ['more fields than its version has', { traceparent: `${valid}-more` }],
    ['a trace of zeros', { traceparent: `00-${'0'.repeat(32)}-${spanId}-01` }],
    ['a span of zeros', { traceparent: `00-${traceId}-${'0'.repeat(16)}-01` }],
    ['upper case', { traceparent: valid.toUpperCase() }],
    ['several', { traceparent: [valid, valid.replace('4bf9', '5bf9')] }],
  ])('is a new one by %s', async (_what, headers) => {
    const { trace, flags } = await announced(await submit(headers))
    expect(trace).toMatch(/^(?!0{32})[\da-f]{32}$/)
    expect([traceId, traceId.replace('4bf9', '5bf9')]).not.toContain(trace)
    expect(flags).toBe('01')
    await until(() => spansOf(trace).length === 5)
    const request = spansOf(trace).find(({ name }) => name === 'POST /v1/jobs')
    expect(request).toMatchObject({ parentSpanContext: undefined })
  })

  it('is in the logs and at the receiver, and sent to no collector, where its client does not sample', async () => {
    const unsampled = traceId.replace('4bf9', '6bf9')
    const id = await submit({ traceparent: `00-${unsampled}-${spanId}-00` })
    const { trace, flags } = await announced(id)
    expect([trace, flags]).toEqual([unsampled, '00'])
    const finished = () => lines.find(({ event, jobId }) => event === 'job.finished' && jobId === id)
    expect(await until(finished)).toMatchObject({ trace_id: unsampled })
    expect(spansOf(unsampled)).toEqual([])
  })
})

it('the run of a line of a batch is a trace of its own, also after a reload that was asked for in another', async () => {
  concurrency = 8
  const reloading = traceId.replace('4bf9', '7bf9')
  const reload = await call(api(), 'POST', '/v1/admin/reload', {
    headers: { traceparent: `00-${reloading}-${spanId}-01` },
  })
  expect(reload).toMatchObject({ status: 200, json: { providers: { changed: ['p'] } } })
  await until(() => spansOf(reloading).length === 1)
  const id = await submit({})
  const delivered = () => lines.find(({ event, jobId }) => event === 'webhook.delivered' && jobId === id)
  expect((await until(delivered)).trace_id).toBeUndefined()

  recorded.reset()
  const count = 200
  const input = Array.from({ length: count }, (_, i) =>
    JSON.stringify({ custom_id: `${i}`, method: 'POST', url: '/v1/chat/completions', body: chat }),
  )
  const uploaded = await postForm(api(), '/v1/files', [
    file(`${input.join('\n')}\n`),
    field('purpose', 'batch'),
  ])
  const order = {
    input_file_id: uploaded.json.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  }
  const { json } = await call(api(), 'POST', '/v1/batches', { body: order })
  await until(async () => (await call(api(), 'GET', `/v1/batches/${json.id}`)).json.status === 'completed')

  const ofLines = () => recorded.getFinishedSpans().filter(({ name }) => !/^(GET|POST) /.test(name))
  await until(() => ofLines().length >= 2 * count)
  const names = Map.groupBy(ofLines(), span => span.spanContext().traceId)
  expect(names.size).toBe(count)
  for (const [trace, spans] of names) {
    expect(trace).not.toBe(reloading)
    expect(spans.map(({ name }) => name).sort()).toEqual(['chat m', 'process p'])
  }
})
