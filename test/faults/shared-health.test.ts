import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Child } from '../../harness/child.ts'
import type { Deployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import type { Circuit } from '../../src/domain/circuit.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'
import { type Client, createClient } from './client.ts'
import { submitted } from './rig.ts'

/** Few and short, so that a whole outage fits into a test; production's are minutes. */
const resetMs = 1_000
const workerCount = 4
const minCalls = 20

let first: SimProvider
let second: SimProvider
let site: Deployment
let client: Client
let workers: Child[]
let apiUrl: string
/** Ends the stream of jobs, and answers the ids of all that were submitted. */
let endStream: () => Promise<readonly string[]>

beforeEach(async () => {
  first = createSimProvider({ journal: true })
  second = createSimProvider({ journal: true })
  await Promise.all([first.start(), second.start()])
  const common = {
    api_key: 'key',
    // A machine that stands still for a second would look like a provider whose calls hang.
    breaker: { min_calls: minCalls, window: '1m', reset: `${resetMs}ms`, max_reset: '2s', slow_factor: 0 },
    retries: 0,
  }
  site = await openBaton({
    level: 'processes',
    config: {
      redis: testRedis(),
      server: { port: 0, shutdown_grace: '10s' },
      providers: {
        first: {
          ...{ type: 'openai', base_url: `${first.url}/v1`, ...common },
          recovery: { ramp: '3s', step_interval: '1s' },
        },
        second: { type: 'openai', base_url: `${second.url}/v1`, ...common },
      },
      models: { chain: { provider: 'first', fallback_to: 'spare' }, spare: { provider: 'second' } },
    },
    env: { LOG_LEVEL: 'info' },
  })
  const api = await site.api()
  apiUrl = api.url
  client = createClient(() => api.url)
  workers = await Promise.all([
    ...Array.from({ length: workerCount }, () => site.worker('first')),
    site.worker('second'),
  ])
  endStream = stream(100)
})
afterEach(async () => {
  await endStream()
  await client.close()
  await site.close()
  await Promise.all([first.stop(), second.stop()])
})

/** Submits jobs at an even pace, whatever becomes of them. */
const stream = (perSecond: number): (() => Promise<readonly string[]>) => {
  const submissions: Promise<string>[] = []
  const timer = setInterval(() => {
    const user = `stream-${submissions.length}`
    const submission = submitted(client, { model: 'chain', user })
    submission.catch(() => undefined) // told by Promise.all
    submissions.push(submission)
  }, 1_000 / perSecond)
  return () => {
    clearInterval(timer)
    return Promise.all(submissions)
  }
}

interface ProviderView {
  readonly name: string
  readonly state: string
  readonly share: number
  readonly probe_owner: string | null
  readonly events: readonly { readonly state: string; readonly share: number }[]
}
const seen = async (): Promise<ProviderView> => {
  const response = await fetch(`${apiUrl}/v1/providers`)
  const { data } = (await response.json()) as { data: ProviderView[] }
  return data.find(provider => provider.name === 'first')!
}
const callsAt = (sim: SimProvider) => sim.journal!

/** What the workers of the first provider told of its states; each tells it for itself. */
const told = (state: Circuit['state']) =>
  workers
    .slice(0, workerCount)
    .map(worker => worker.lines.find(line => line.msg === 'provider changed state' && line.state === state))

describe('a provider that fails for many processes', () => {
  it('is left by all at once, probed by one, and taken back in steps', { timeout: 120_000 }, async () => {
    await until(() => callsAt(first).length > 50)
    expect(callsAt(second)).toHaveLength(0)

    first.script({ fault: { kind: 'error-500' } })
    await until(() => told('down').every(line => line !== undefined))
    const openedAt = told('down').map(line => line!.time as number)
    const openedAtMs = Math.max(...openedAt)
    expect(openedAtMs - Math.min(...openedAt)).toBeLessThan(resetMs)
    const failed = callsAt(first).filter(call => call.outcome !== 'ok' && call.startedAtMs < openedAtMs)
    expect(failed.length).toBeGreaterThanOrEqual(minCalls / 2)
    // What was on its way at that moment has arrived; after it nobody calls before it is time to probe.
    const probesFromMs = Math.min(...openedAt) + resetMs * 0.9
    await until(() => Date.now() > probesFromMs)
    const isIdle = (atMs: number): boolean => atMs > openedAtMs + resetMs / 4 && atMs < probesFromMs
    expect(callsAt(first).filter(call => isIdle(call.startedAtMs))).toEqual([])

    // A worker that starts now knows at once.
    const late = await site.worker('first')
    expect(late.lines.some(line => line.msg === 'provider changed state' && line.state !== 'healthy')).toBe(
      true,
    )

    await until(
      async () => (await seen()).events.filter(event => event.state === 'probing').length >= 2,
      30_000,
    )
    const probes = callsAt(first).filter(call => call.startedAtMs >= probesFromMs)
    const gaps = probes.slice(1).map((probe, i) => probe.startedAtMs - probes[i]!.startedAtMs)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(resetMs)

    first.script({})
    const backAtMs = Date.now()
    await until(async () => (await seen()).state === 'healthy', 40_000)
    const closedAtMs = Date.now()
    const perStep = await shares(backAtMs, closedAtMs)
    expect(perStep.length).toBe(3)

    const ids = await endStream()
    const jobs = await Promise.all(ids.map(id => client.ended(id, 25_000)))
    expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
  })

  /** Of the calls at both providers, how many the first one got in each step of the ramp. */
  const shares = async (fromMs: number, toMs: number): Promise<number[]> => {
    const steps = (await seen()).events.filter(event => event.state === 'recovering')
    const seenShares = steps.map(step => Number(step.share.toFixed(2))).toReversed()
    expect(seenShares).toEqual([0.05, 0.37, 0.68])
    const within = (sim: SimProvider) =>
      callsAt(sim).filter(call => call.startedAtMs >= fromMs && call.startedAtMs < toMs)
    expect(within(first).length).toBeGreaterThan(0)
    const stepMs = workers[0]!.lines
      .filter(line => line.msg === 'provider changed state' && line.state === 'recovering')
      .map(line => line.time as number)
    const shared = stepMs.map((startMs, i) => {
      const between = (sim: SimProvider) =>
        callsAt(sim).filter(
          call => call.startedAtMs >= startMs && call.startedAtMs < (stepMs[i + 1] ?? startMs + 1_000),
        ).length
      return between(first) / (between(first) + between(second))
    })
    expect(shared).toEqual(shared.toSorted((a, b) => a - b))
    expect(shared[0]).toBeLessThan(0.25)
    expect(shared.at(-1)).toBeGreaterThan(0.5)
    return shared
  }
})
