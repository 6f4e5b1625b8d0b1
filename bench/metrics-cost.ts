import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { withTestEnvironment } from '../harness/environment.ts'
import { fixed, median, printTable, whole } from '../harness/figures.ts'
import { createCounts } from '../src/telemetry/counts.ts'
import { createMeasures } from '../src/telemetry/measures.ts'
import { createTelemetry, type Telemetry, type TelemetryEvent } from '../src/telemetry/telemetry.ts'
import { batonInput } from './support/deployment.ts'
import { jobsOr, roundsOr } from './support/options.ts'
import { startBaton } from './support/processes.ts'

const usualJobs = 200_000
const rounds = 7
const scrapes = 100
/** What a scrape reads serves others for a second. */
const apartMs = 1_100
const providerCount = 20

const usage = { input_tokens: 200, output_tokens: 20, cache_read_tokens: 100 }

/** All that a job emits on its way, from submission to its webhook. */
const eventsOf = (provider: string): readonly TelemetryEvent[] => [
  { kind: 'job.accepted' },
  { kind: 'job.claimed', provider, class: 'default', waitedMs: 12 },
  {
    ...{
      kind: 'attempt.ended',
      tenant: 'default',
      provider,
      model: 'gpt-4',
      verdict: 'ok',
      durationMs: 812,
      firstTokenMs: 140,
    },
    ...{ usage, costUsd: 0.0004, savedUsd: 0.0001 },
  },
  { kind: 'job.finished', tenant: 'default', provider, route: 'gpt-4', status: 'succeeded', tookMs: 830 },
  { kind: 'webhook.attempt_ended', receiver: 'https://example.com', status: 'delivered', durationMs: 30 },
]

/** Microseconds a job, median of the rounds. */
const costOf = (listen: (telemetry: Telemetry) => void): number => {
  const telemetry = createTelemetry()
  listen(telemetry)
  const jobs = jobsOr(usualJobs)
  const events = ['a', 'b', 'c'].map(eventsOf)
  const turn = (): number => {
    const startedAt = performance.now()
    for (let i = 0; i < jobs; i++) for (const event of events[i % 3]!) telemetry.emit(event)
    return ((performance.now() - startedAt) / jobs) * 1_000
  }
  turn()
  return median(Array.from({ length: roundsOr(rounds) }, turn))
}

/** A scrape of an API process with many providers, one after the other. */
const scrapeCost = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const { redisUrl, config } = batonInput(environment.redisUrl, 'http://127.0.0.1:9')
    const { providers } = config as { readonly providers: Readonly<Record<string, object>> }
    const [one] = Object.values(providers)
    const names = Array.from({ length: providerCount - 1 }, (_, i) => [`p${i}`, one] as const)
    const many = { ...config, providers: { ...providers, ...Object.fromEntries(names) } }
    const api = await startBaton(environment, 'api', { redisUrl, config: many })
    let bytes = 0
    const scrape = async (): Promise<number> => {
      const startedAt = performance.now()
      const { body } = await request(`${api.url}/metrics`)
      bytes = (await body.text()).length
      return performance.now() - startedAt
    }
    const [apart, together]: [number[], number[]] = [[], []]
    for (let round = 0; round < roundsOr(rounds); round++) {
      apart.push(await scrape())
      await delay(apartMs)
    }
    for (let i = 0; i < scrapes; i++) together.push(await scrape())
    printTable(
      [`a scrape with ${providerCount} providers`, 'ms', 'kB'],
      [
        ['that reads Redis', fixed(median(apart), 1), fixed(bytes / 1_000, 0)],
        ['within the same second', fixed(median(together), 1), ''],
      ],
    )
  })

/** What counting and measuring costs a job, and what a scrape does. */
export const metricsCost = async (): Promise<void> => {
  const without = costOf(() => undefined)
  const counted = costOf(createCounts)
  const measured = costOf(telemetry => createMeasures().follow(telemetry))
  printTable(
    ['µs a job', 'all', 'added'],
    [
      ['nobody listens', fixed(without, 2), ''],
      ['counts', fixed(counted, 2), fixed(counted - without, 2)],
      ['durations, tokens, cost', fixed(measured, 2), fixed(measured - without, 2)],
    ],
  )
  console.log(`  over ${whole(jobsOr(usualJobs))} jobs`)
  await scrapeCost()
}
