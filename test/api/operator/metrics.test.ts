import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../../../harness/until.ts'
import { termsOf } from '../../../src/domain/circuit-terms.ts'
import { createSimProvider, type SimProvider } from '../../../src/sim/sim-provider.ts'
import { createWebhookReceiver } from '../../../src/sim/webhook-receiver.ts'
import { tallyOf } from '../../health/tally-of.ts'
import { type BatonApi, openBaton } from '../../support/open-baton.ts'

let baton: BatonApi
let sims: SimProvider[]
const key = 'client-key'
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const succeeded = 'baton_jobs_finished_total{provider="second",status="succeeded"}'

beforeEach(async () => {
  sims = [createSimProvider(), createSimProvider()]
  await Promise.all(sims.map(sim => sim.start()))
  baton = await openBaton({
    level: 'api',
    config: {
      providers: {
        first: { type: 'openai', base_url: `${sims[0]!.url}/v1`, api_key: 'k' },
        second: { type: 'openai', base_url: `${sims[1]!.url}/v1`, api_key: 'k' },
      },
      models: {
        gpt: { provider: 'first', fallback_to: 'other' },
        other: { provider: 'second', price: { input: 1, output: 1_000 } },
        alone: { provider: 'first' },
        kept: { provider: 'second', price: { input: 1, output: 1_000 }, cache: { ttl: '1h' } },
      },
      api_keys: [
        { key, role: 'operator' },
        { key: 'second-key', tenant: 'second' },
      ],
      metrics: { tenant_label: true, max_tenants: 1 },
      webhooks: { secret, allowed_networks: ['127.0.0.0/8'] },
    },
    webhooks: true,
    batches: true,
  })
})
afterEach(async () => {
  await baton.stop()
  await Promise.all(sims.map(sim => sim.stop()))
})

const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
const scrape = (): Promise<Response> => fetch(`${baton.url}/metrics`, { headers })

/** The sum over all processes: by name, and by the labels but the instance. */
const read = async (): Promise<Map<string, number>> => {
  const sums = new Map<string, number>()
  for (const line of (await (await scrape()).text()).split('\n')) {
    const [, series, value] = /^([a-z].*) (\S+)$/.exec(line) ?? []
    if (series === undefined) continue
    const name = series.replace(/instance="\w+",|,?instance="\w+"/, '')
    sums.set(name, (sums.get(name) ?? 0) + Number(value))
  }
  return sums
}

describe('GET /metrics', () => {
  test('what jobs did, and where providers stand', async () => {
    const submit = (model: string): Promise<Response> => {
      const body = { body: { model, messages: [{ role: 'user', content: 'x' }] } }
      return fetch(`${baton.url}/v1/jobs`, { method: 'POST', headers, body: JSON.stringify(body) })
    }
    sims[0]!.script({ fault: { kind: 'insufficient_quota' } })
    const { id } = (await (await submit('gpt')).json()) as { id: string }
    await baton.ended(id)
    await submit('alone')

    await until(async () => {
      // Each worker tells on its own, every two seconds.
      const told = await read()
      const [parks, ends] = ['baton_jobs_parked_total{provider="first"}', succeeded].map(name =>
        told.get(name),
      )
      // Of the parked job: its doorbell. A deadline this far away gets its timer later.
      return parks === 1 && ends === 1 && told.get('baton_scheduled_entries')! >= 1
    })
    const series = await read()
    const expected: Readonly<Record<string, number>> = {
      baton_jobs_accepted_total: 2,
      'baton_attempts_total{provider="first",verdict="out_of_quota"}': 1,
      'baton_attempts_total{provider="second",verdict="ok"}': 1,
      'baton_jobs_handed_over_total{provider="first"}': 1,
      'baton_jobs_handed_over_total{provider="second"}': 0,
      [succeeded]: 1,
      'baton_jobs_finished_total{provider="second",status="failed"}': 0,
      'baton_queue_depth{queue="provider.first"}': 0,
      'baton_queue_depth{queue="webhooks"}': 0,
      'baton_calls_in_flight{provider="first"}': 0,
      'baton_worker_concurrency{provider="first"}': 16,
      'baton_provider_state{provider="first",state="healthy"}': 1,
      'baton_provider_state{provider="first",state="down"}': 0,
      'baton_provider_traffic_ratio{provider="second"}': 1,
      'baton_provider_unavailable{provider="first",kind="key",state="stopped"}': 1,
      baton_dead_letters: 0,
    }
    expect(Object.fromEntries(Object.keys(expected).map(name => [name, series.get(name)]))).toEqual(expected)
    expect(series.get('process_resident_memory_bytes')).toBeGreaterThan(1e7)
    expect(series.get('process_cpu_seconds_total')).toBeGreaterThan(0.01)
    const startedAt = Date.now() / 1_000 - process.uptime()
    expect(Math.abs(series.get('process_start_time_seconds')! - startedAt)).toBeLessThan(5)

    await baton.context.circuitStore.pause('second', true)
    await until(
      async () => (await read()).get('baton_provider_state{provider="second",state="paused"}') === 1,
    )
    expect((await read()).get('baton_provider_traffic_ratio{provider="second"}')).toBe(0)
  })

  test('how long things took, what was used, and what that cost', async () => {
    sims[0]!.script({ fault: { kind: 'insufficient_quota' } })
    const { usage, costUsd } = (await baton.ended(await baton.chat('gpt'))) as unknown as {
      usage: { input_tokens: number; output_tokens: number }
      costUsd: number
    }
    const at = 'provider="second",model="other"'
    const [ok, full, ended] = [
      `baton_attempt_duration_seconds_count{${at},verdict="ok"}`,
      'baton_attempt_duration_seconds_count{provider="first",model="gpt",verdict="out_of_quota"}',
      'baton_job_duration_seconds_count{route="gpt",status="succeeded"}',
    ]
    await until(async () => (await read()).get(ended) === 1)
    const series = await read()
    expect([series.get(ok), series.get(full)]).toEqual([1, 1])
    // It was handed over, so it has waited for its first worker alone.
    const waits = [...series].filter(([name]) => name.startsWith('baton_job_queue_wait_seconds_count'))
    expect(waits).toEqual([['baton_job_queue_wait_seconds_count{provider="first",class="default"}', 1]])
    expect(series.get(`baton_tokens_total{${at},kind="input"}`)).toBe(usage.input_tokens)
    expect(series.get(`baton_tokens_total{${at},kind="output"}`)).toBe(usage.output_tokens)
    expect(costUsd).toBeGreaterThan(0)
    expect(series.get(`baton_cost_dollars_total{${at}}`)).toBe(costUsd)
    expect(series.get('baton_tenant_jobs_total{tenant="default",status="succeeded"}')).toBe(1)
    expect(series.get('baton_tenant_tokens_total{tenant="default",kind="input"}')).toBe(usage.input_tokens)
    expect(series.get('baton_tenant_cost_dollars_total{tenant="default"}')).toBe(costUsd)
    // The config has another tenant than the one that is told apart.
    await baton.ended(await baton.chat('gpt', { tenant: 'second' }))
    await until(
      async () => (await read()).get('baton_tenant_jobs_total{tenant="other",status="succeeded"}') === 1,
    )
    const took = series.get('baton_job_duration_seconds_sum{route="gpt",status="succeeded"}')!
    expect(took).toBeGreaterThanOrEqual(series.get(`baton_attempt_duration_seconds_sum{${at},verdict="ok"}`)!)
  })

  test('what ended without an answer, by whoever ended it', async () => {
    sims[0]!.script({ fault: { kind: 'hang' } })
    const [running, expiring] = [await baton.chat('alone'), await baton.chat('alone', { windowMs: 300 })]
    await until(() => sims[0]!.calls.inFlight === 2)
    const cancel = () => fetch(`${baton.url}/v1/jobs/${running}/cancel`, { method: 'POST', headers })
    // The second time it has ended already.
    expect([(await cancel()).status, (await cancel()).status]).toEqual([200, 200])
    expect((await baton.ended(expiring)).status).toBe('expired')
    const ends = ['cancelled', 'expired'].map(status => `baton_jobs_finished_total{status="${status}"}`)
    await until(async () => {
      const series = await read()
      return ends.every(name => series.get(name) === 1)
    })
  })

  test('a model that is out of use', async () => {
    const { circuitStore } = baton.context
    const terms = termsOf({
      ...{
        windowMs: 10_000,
        errorPercent: 50,
        minCalls: 2,
        runLength: 2,
        slowFactor: 2,
        resetMs: 60_000,
        maxResetMs: 60_000,
      },
      ...{ rampMs: 1_000, checkMs: 1_000, firstShare: 1 },
    })
    await circuitStore.report('first/gpt', terms, tallyOf({ failed: 2 }), -1)
    const out = 'baton_provider_unavailable{provider="first",kind="target",state="down"}'
    await until(async () => (await read()).get(out) === 1)
  })

  test('what the cache of a route answered, and saved', async () => {
    const first = (await baton.ended(await baton.chat('kept'))) as unknown as { costUsd: number }
    const lookups = (result: string) => `baton_cache_lookups_total{route="kept",result="${result}"}`
    await until(async () => {
      const job = (await baton.ended(await baton.chat('kept'))) as unknown as { costUsd: number }
      return job.costUsd === 0
    })
    await baton.ended(await baton.chat('alone'))
    const series = await read()
    expect(series.get(lookups('miss'))).toBeGreaterThanOrEqual(1)
    expect(series.get(lookups('hit'))).toBe(1)
    const saved = 'baton_saved_dollars_total{provider="second",model="kept",by="answer_cache"}'
    expect(first.costUsd).toBeGreaterThan(0)
    expect(series.get(saved)).toBe(first.costUsd)
    const looked = [...series.keys()].filter(name => name.startsWith('baton_cache_lookups_total'))
    expect(looked.every(name => name.includes('route="kept"'))).toBe(true)
  })

  test('batches and their lines, by how they ended', async () => {
    const params = { model: 'other', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }
    const requests = ['a', 'b'].map(custom_id => ({ custom_id, params }))
    const made = await fetch(`${baton.url}/v1/messages/batches`, {
      ...{ method: 'POST', headers, body: JSON.stringify({ requests }) },
    })
    expect(made.status).toBe(200)
    const ended = 'baton_batch_duration_seconds_count{status="completed"}'
    await until(async () => (await read()).get(ended) === 1)
    const series = await read()
    const lines = ['succeeded', 'errored'].map(s => series.get(`baton_batch_lines_total{status="${s}"}`))
    expect(lines).toEqual([2, 0])
  })

  test('how deliveries of webhooks went', async () => {
    const receiver = createWebhookReceiver({ secret })
    await receiver.start()
    onTestFinished(() => receiver.stop())
    for (const url of [receiver.url, 'http://127.0.0.1:1/', 'http://10.1.1.1/'])
      await baton.ended(await baton.chat('other', { webhook: { url } }))
    const outcomes = ['delivered', 'failed', 'dead'].map(o => `baton_webhook_attempts_total{outcome="${o}"}`)
    // One is refused and tried again much later, one leads to where none is allowed.
    await until(async () => {
      const series = await read()
      return outcomes.every(name => series.get(name) === 1) && series.get('baton_dead_letters') === 1
    })
    const took = ['delivered', 'failed', 'dead'].map(
      outcome => `baton_webhook_attempt_duration_seconds_count{outcome="${outcome}"}`,
    )
    const series = await read()
    for (const name of took) expect(series.get(name)).toBeGreaterThanOrEqual(1)
    await until(async () => (await read()).get('baton_webhooks_retrying') === 1)
  })

  test('it is text for whoever shows a key', async () => {
    const answer = await scrape()
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect((await fetch(`${baton.url}/metrics`)).status).toBe(401)
  })
})
