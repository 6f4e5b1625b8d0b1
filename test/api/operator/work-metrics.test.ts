import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBatchStalls } from '../../../src/api/operator/batch-stalls.ts'
import { limitMetrics } from '../../../src/api/operator/limit-metrics.ts'
import type { Metric } from '../../../src/api/operator/metrics-text.ts'
import { renderMetrics } from '../../../src/api/operator/metrics-text.ts'
import { type OpenBatch, workMetrics } from '../../../src/api/operator/work-metrics.ts'
import { everyFigure } from '../../support/every-metric.ts'
import { parseExposition } from '../../support/exposition.ts'
import { create as createMessageBatch } from '../message-batch-calls.ts'
import { call, openTestApi, submitJob, type TestApi } from '../test-api.ts'

const [batch] = everyFigure.work.batches as readonly [OpenBatch]
const blocked = { reason: 'paused', message: '', provider: 'a', model: 'm', sinceMs: 0 } as const
const readAtMs = 100_000

const seriesOf = (metrics: readonly Metric[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...parseExposition(renderMetrics(metrics)).values()].flatMap(({ series }) =>
      [...series].map(([name, value]) => [name.replace('{}', ''), value]),
    ),
  )
const ofBatches = (...batches: readonly OpenBatch[]) =>
  seriesOf(workMetrics({ ...everyFigure.work, readAtMs, batches }))

describe('metrics of what is to be done', () => {
  test('batches: how many, how old, how late', () => {
    const late = { ...batch, id: 'late', estimateMs: 130_000, expiresAtMs: 110_000, createdAtMs: 40_000 }
    const stuck = { ...batch, id: 'stuck', blocked, estimateMs: null, createdAtMs: 30_000, total: 10 }
    expect(
      ofBatches({ ...late, warning: { ...blocked, code: 'deadline_at_risk', estimateMs: 1 } }, stuck),
    ).toMatchObject({
      'baton_open_batches{status="in_progress"}': 2,
      'baton_open_batches{status="validating"}': 0,
      'baton_blocked_batches{reason="paused"}': 1,
      'baton_blocked_batches{reason="out_of_quota"}': 0,
      baton_batches_at_risk: 1,
      baton_open_batch_lines: 10,
      baton_oldest_batch_seconds: 70,
      baton_batch_slack_seconds: -20,
    })
  })

  test('what is past its deadline has less to spare with every second, whatever was expected', () => {
    expect(ofBatches({ ...batch, estimateMs: 50_000, expiresAtMs: 60_000 }).baton_batch_slack_seconds).toBe(
      -40,
    )
  })

  test('without a batch: none, and no slack', () => {
    const series = ofBatches()
    expect(series.baton_oldest_batch_seconds).toBe(0)
    expect(series).not.toHaveProperty('baton_batch_slack_seconds')
  })

  test('how long a queue takes is not told where it is not known', () => {
    const of = (waiting: number, at: number | null) => {
      const { queue } = everyFigure.work.providers[0]!
      const providers = [{ name: 'a', queue: { ...queue, waiting }, estimated_drain_at: at }]
      const series = seriesOf(workMetrics({ ...everyFigure.work, readAtMs, providers }))
      return series['baton_queue_drain_seconds{provider="a"}']
    }
    expect([of(0, null), of(5, null), of(5, 130)]).toEqual([0, undefined, 30])
  })

  test('a batch stands still from when it was last seen to move, unless it is blocked', () => {
    const stallOf = createBatchStalls()
    const other = { ...batch, id: 'other' }
    expect(stallOf([batch, other], 1_000)).toBe(0)
    expect(stallOf([batch, { ...other, collected: 2 }], 5_000)).toBe(4_000)
    expect(
      stallOf(
        [
          { ...batch, collected: 2 },
          { ...other, collected: 2 },
        ],
        7_000,
      ),
    ).toBe(2_000)
    expect(
      stallOf(
        [
          { ...batch, collected: 2 },
          { ...other, collected: 2, blocked },
        ],
        9_000,
      ),
    ).toBe(2_000)
    // It has been mended, and begins anew.
    expect(stallOf([{ ...other, collected: 2 }], 10_000)).toBe(0)
    expect(stallOf([], 99_000)).toBe(0)
  })
})

test('limits are summed over the keys of a provider, by model', () => {
  const none = { rpm: null, tpm: null, used_rpm: null, used_tpm: null, adaptive_concurrency: null }
  const meter = { ...none, model: 'm', calls_in_flight: 2, adaptive_rpm: null }
  const limits = { rpm: 10, tpm: null, concurrency: null }
  const seen = [
    { ...meter, rpm: 30 },
    { ...meter, rpm: 40, used_rpm: 7 },
    { ...meter, model: null, rpm: 5 },
  ]
  expect(
    seriesOf(limitMetrics([{ name: 'a', models: [], keyCount: 2, limits: { ...limits, seen } }])),
  ).toEqual({
    'baton_limit_requests_per_minute{kind="configured",model="",provider="a"}': 20,
    'baton_limit_requests_per_minute{kind="told",model="m",provider="a"}': 70,
    'baton_limit_requests_per_minute{kind="told",model="",provider="a"}': 5,
    'baton_limit_requests_per_minute{kind="used",model="m",provider="a"}': 7,
    'baton_limit_calls{kind="used",model="m",provider="a"}': 4,
    'baton_limit_calls{kind="used",model="",provider="a"}': 2,
  })
  const clients = seen.map(one => ({ ...one, model: one.model && 'named-by-a-client' }))
  const behind = { name: 'a', models: ['m', '*'], keyCount: 1, limits: { ...limits, seen: clients } }
  const told = Object.keys(seriesOf(limitMetrics([behind])))
  expect(told).toContain('baton_limit_calls{kind="used",model="*",provider="a"}')
  expect(told.join()).not.toContain('named-by')
})

describe('GET /metrics of an API without workers', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await openTestApi()
  })
  afterAll(() => api[Symbol.asyncDispose]())

  const read = async () => {
    const { text } = await call(api, 'GET', '/metrics')
    const exposed = [...parseExposition(text as string).values()]
    return Object.fromEntries(exposed.flatMap(({ series }) => [...series]))
  }

  test('what waits, by class, since when, and what scripts took', async () => {
    await submitJob(api)
    const scripts = (await read())['baton_redis_scripts_total{}']!
    await createMessageBatch(api)
    await expect.poll(read, { timeout: 20_000, interval: 200 }).toMatchObject({
      'baton_waiting_jobs{class="default",provider="openai"}': 1,
      'baton_waiting_jobs{class="bulk",provider="openai"}': 0,
      'baton_open_batches{status="in_progress"}': 1,
      'baton_open_batch_lines{}': 1,
      'baton_blocked_batches{reason="paused"}': 0,
      'baton_open_pages{}': 0,
      'baton_webhooks_retrying{}': 0,
    })
    const series = await read()
    expect(series['baton_redis_scripts_total{}']).toBeGreaterThan(scripts)
    expect(series['baton_redis_script_seconds_total{}']).toBeGreaterThan(0)
    expect(series['baton_oldest_waiting_seconds{provider="openai"}']).toBeGreaterThanOrEqual(0)
  })
})
