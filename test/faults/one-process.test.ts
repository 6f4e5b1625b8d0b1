import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Child } from '../../harness/child.ts'
import type { Deployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { createSimProvider, type SimProvider } from '../../src/sim/sim-provider.ts'
import { openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'
import { type Client, createClient } from './client.ts'
import { submitted } from './rig.ts'

/** Everything in one process, as `npm start` runs it: a minute's outage in seconds. */
let first: SimProvider
let second: SimProvider
let site: Deployment
let baton: Child
let url: string
let client: Client
let endStream: () => Promise<readonly string[]>

const open = async (breaker: object): Promise<void> => {
  const common = { api_key: 'key', retries: 0 }
  site = await openBaton({
    level: 'processes',
    config: {
      redis: testRedis(),
      server: { port: 0 },
      providers: {
        first: {
          ...{ type: 'openai', base_url: `${first.url}/v1`, ...common },
          breaker: { window: '3s', reset: '1s', max_reset: '1s', ...breaker },
          recovery: { ramp: '3s', step_interval: '1s', first_share: 0.1 },
        },
        second: { type: 'openai', base_url: `${second.url}/v1`, ...common },
      },
      models: { chain: { provider: 'first', fallback_to: 'spare' }, spare: { provider: 'second' } },
    },
    env: { LOG_LEVEL: 'info' },
  })
  baton = site.run()
  url = (await baton.logged('api listening')).url as string
  await baton.logged('started')
  client = createClient(() => url)
  endStream = stream(50)
}

beforeEach(async () => {
  first = createSimProvider({ journal: true })
  second = createSimProvider({ journal: true })
  await Promise.all([first.start(), second.start()])
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
    const submission = submitted(client, { model: 'chain', user: `stream-${submissions.length}` })
    submission.catch(() => undefined) // told by Promise.all
    submissions.push(submission)
  }, 1_000 / perSecond)
  return () => {
    clearInterval(timer)
    return Promise.all(submissions)
  }
}

interface View {
  readonly state: string
  readonly events: readonly { readonly state: string; readonly share: number }[]
  readonly workers: readonly { readonly breaker: string }[]
}
const seen = async (): Promise<View> => {
  const { data } = (await (await fetch(`${url}/v1/providers`)).json()) as { data: View[] }
  return data[0]!
}
/** What the log tells of the shared state, from a time on. */
const told = (state: string, sinceMs: number) =>
  baton.lines.filter(
    ({ msg, provider, state: to, time }) =>
      msg === 'provider changed state' && provider === 'first' && to === state && (time as number) >= sinceMs,
  )
const between = (sim: SimProvider, fromMs: number, toMs: number): number =>
  sim.journal!.filter(({ startedAtMs }) => startedAtMs >= fromMs && startedAtMs < toMs).length

/** An outage from the first good calls to the last step of the way back. Answers the shares that the first had in each step. */
const outage = async (): Promise<readonly number[]> => {
  const calls = first.journal!.length
  await until(() => first.journal!.length > calls + 150)
  const brokenAtMs = Date.now()
  first.script({ fault: { kind: 'error-503' } })
  await until(() => told('down', brokenAtMs).length > 0, 10_000)
  await until(() => told('probing', brokenAtMs).length > 0)
  first.script({})
  await until(async () => (await seen()).state === 'healthy', 30_000)
  const steps = [...told('recovering', brokenAtMs), ...told('healthy', brokenAtMs)].map(
    ({ time }) => time as number,
  )
  // A probe that came before the end of the outage, or a relapse, made the way back begin anew: the last one counts.
  const times = steps.slice(-4)
  return times.slice(1).map((toMs, i) => {
    const fromMs = times[i]!
    const [here, there] = [between(first, fromMs, toMs), between(second, fromMs, toMs)]
    return here / (here + there)
  })
}

describe('one process that does everything', () => {
  it('its own breaker is one with the shared state, in every one of several outages', {
    timeout: 120_000,
  }, async () => {
    // Only the windows decide: the process's begins when it began, and the shared one by the clock.
    await open({ consecutive_failures: 10_000 })
    for (let round = 0; round < 3; round++) {
      const shares = await outage()
      expect(shares[0]).toBeLessThan(0.4)
      expect(shares).toEqual(shares.toSorted((a, b) => a - b))
    }
    // By its own clock it would let a call pass, and all of them after that.
    expect(baton.lines.filter(({ state }) => state === 'half_open')).toEqual([])
    const ids = await endStream()
    const jobs = await Promise.all(ids.map(id => client.ended(id, 25_000)))
    expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
  })

  it('a dead provider is left after a run of failures, however many good calls the window holds', {
    timeout: 60_000,
  }, async () => {
    await open({ window: '10m' })
    await until(() => first.journal!.length > 200)
    first.script({ fault: { kind: 'error-503' } })
    await until(async () => (await seen()).state === 'down')
    const failed = first.journal!.filter(({ outcome }) => outcome === 'error-503')
    const [opened] = told('down', 0)
    expect((opened!.time as number) - failed[4]!.endedAtMs!).toBeLessThan(5_000)
    const ids = await endStream()
    const jobs = await Promise.all(ids.map(id => client.ended(id, 25_000)))
    expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
  })
})
