import { join } from 'node:path'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../../harness/until.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { openUpstream } from '../contract/providers/open-provider.ts'
import { answering } from '../contract/providers/recording-upstream.ts'
import { openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

type Value = {
  readonly stringValue?: string
  readonly intValue?: number | string
  readonly doubleValue?: number
}
interface Attribute {
  readonly key: string
  readonly value: Value
}
interface SentSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly attributes: readonly Attribute[]
  readonly events?: readonly { readonly name: string; readonly attributes: readonly Attribute[] }[]
  readonly status: { readonly code?: number }
}

const valuesOf = (attributes: readonly Attribute[]) =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.doubleValue ?? Number(value.intValue),
    ]),
  )

/** A collector of traces: what the exporters of all processes sent, in OTLP's JSON. */
const openCollector = async () => {
  const upstream = await openUpstream(answering(200, {}))
  const spans = (): readonly SentSpan[] =>
    upstream.arrivals.flatMap(({ text }) =>
      JSON.parse(text).resourceSpans.flatMap((resource: { scopeSpans: { spans: SentSpan[] }[] }) =>
        resource.scopeSpans.flatMap(scope => scope.spans),
      ),
    )
  return { url: upstream.url, spans, text: () => upstream.arrivals.map(({ text }) => text).join('\n') }
}

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const clientSpan = '00f067aa0ba902b7'
const prompt = 'the secret of the prompt'

const open = async (env: Record<string, string>) => {
  const throttled = await openUpstream(
    answering(429, { error: { message: 'slow down' } }, { 'retry-after': '60' }),
  )
  const broken = await openUpstream(answering(503, { error: { message: 'away' } }))
  const third = createSimProvider()
  await third.start()
  onTestFinished(() => third.stop())
  const receiver = await openUpstream(answering(200, {}))
  const redis = testRedis()
  const common = { type: 'openai', api_key: 'key-of-a-provider', retries: 0 }
  const site = await openBaton({
    level: 'processes',
    config: {
      redis,
      server: { port: 0 },
      webhooks: {
        allowed_networks: ['127.0.0.0/8'],
        secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
      },
      providers: {
        first: { ...common, base_url: throttled.url },
        second: { ...common, base_url: broken.url },
        third: { type: 'anthropic', api_key: 'key-of-a-provider', base_url: third.url },
      },
      models: {
        chain: { provider: 'first', fallback_to: ['b', 'c'] },
        b: { provider: 'second' },
        c: { provider: 'third' },
      },
    },
    env: { LOG_LEVEL: 'debug', ...env },
  })
  onTestFinished(() => site.close())
  const [api, ...workers] = await Promise.all([
    site.api(),
    ...['first', 'second', 'third', 'webhooks'].map(name => site.worker(name)),
  ])
  const submit = async (): Promise<string> => {
    const response = await fetch(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-${clientSpan}-01` },
      body: JSON.stringify({
        body: { model: 'chain', messages: [{ role: 'user', content: prompt }] },
        webhook: { url: `${receiver.url}/hook` },
      }),
    })
    expect(response.status).toBe(202)
    const { id } = (await response.json()) as { id: string }
    await until(() => receiver.arrivals.length === 1)
    return id
  }
  const told = () => receiver.arrivals[0]!.headers.traceparent
  return { api, workers, submit, redis, told }
}

const importing = (collector: string): Record<string, string> => ({
  NODE_OPTIONS: `--import ${join(import.meta.dirname, '../../examples/tracing.ts')}`,
  OTEL_EXPORTER_OTLP_ENDPOINT: collector,
})

describe('traces', () => {
  test('one trace from the client to the webhook of a job that was handed over twice', async () => {
    const collector = await openCollector()
    const { submit, api, workers, told } = await open(importing(collector.url))
    const id = await submit()
    const mine = () => collector.spans().filter(span => span.traceId === traceId)
    const named = (name: string) => mine().filter(span => span.name === name)
    await until(() => named('webhook').length === 1 && named('process third').length === 1)

    const [request] = named('POST /v1/jobs')
    expect(request).toMatchObject({ parentSpanId: clientSpan, kind: 2 })
    expect(valuesOf(request!.attributes)).toMatchObject({
      ...{ 'http.response.status_code': 202, 'http.route': '/v1/jobs', 'baton.job.id': id },
    })
    const [submitted] = named('submit')
    expect(submitted!.parentSpanId).toBe(request!.spanId)

    const calls = [
      ['first', 429, 'rate_limited'],
      ['second', 503, 'transient'],
      ['third', 200, 'ok'],
    ] as const
    for (const [hop, [provider, status, verdict]] of calls.entries()) {
      const [run] = named(`process ${provider}`)
      expect(run!.parentSpanId, provider).toBe(submitted!.spanId)
      expect(run!.links, provider).toMatchObject([{ traceId, spanId: submitted!.spanId }])
      const [attempt] = mine().filter(span => span.parentSpanId === run!.spanId)
      expect(attempt!.name).toBe(`chat ${['chain', 'b', 'c'][hop]}`)
      expect(valuesOf(attempt!.attributes), provider).toMatchObject({
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': provider === 'third' ? 'anthropic' : 'openai',
        'gen_ai.request.model': ['chain', 'b', 'c'][hop],
        'http.response.status_code': status,
        'baton.verdict': verdict,
        'baton.hop': hop,
        'baton.job.id': id,
      })
      expect(attempt!.status.code ?? 0, provider).toBe(verdict === 'ok' ? 0 : 2)
      const handovers = (run!.events ?? []).filter(({ name }) => name === 'baton.handover')
      expect(handovers.map(({ attributes }) => valuesOf(attributes)['baton.target'])).toEqual(
        hop === 2 ? [] : [['second/b', 'third/c'][hop]],
      )
    }
    const [last] = named('process third')
    expect(valuesOf(last!.attributes)['baton.job.status']).toBe('succeeded')
    const [answered] = mine().filter(span => span.parentSpanId === last!.spanId)
    expect(valuesOf(answered!.attributes)['gen_ai.usage.output_tokens']).toBeGreaterThan(0)

    const [webhook] = named('webhook')
    expect(webhook!.parentSpanId).toBe(submitted!.spanId)
    expect(told()).toBe(`00-${traceId}-${webhook!.spanId}-01`)
    expect(valuesOf(webhook!.attributes)).toMatchObject({
      ...{ 'baton.webhook.outcome': 'delivered', 'server.address': '127.0.0.1', 'baton.webhook.attempt': 1 },
    })

    const lines = [api, ...workers].flatMap(process => process.lines)
    const handovers = lines.filter(line => line.event === 'job.handed_over')
    expect(handovers.map(line => line.trace_id)).toEqual([traceId, traceId])
    expect(lines.find(line => line.event === 'webhook.delivered')).toMatchObject({ jobId: id })
    for (const secret of [prompt, 'key-of-a-provider', 'whsec_'])
      expect(collector.text()).not.toContain(secret)
  })

  test('without an SDK nothing is kept, logged or sent', async () => {
    const { submit, api, workers, redis, told } = await open({})
    const id = await submit()
    const job = await (await fetch(`${api.url}/v1/jobs/${id}`)).json()
    expect(job).toMatchObject({ status: 'succeeded' })
    const kept = new Redis(redis.url)
    onTestFinished(() => void kept.disconnect())
    expect(await kept.hget(createKeys(redis.prefix).record(id), 'state')).toBe('succeeded')
    expect(await kept.hget(createKeys(redis.prefix).record(id), 'trace')).toBeNull()
    expect(told()).toBeUndefined()
    const lines = [api, ...workers].flatMap(process => process.lines)
    expect(lines.filter(line => line.trace_id !== undefined)).toEqual([])
  })
})
