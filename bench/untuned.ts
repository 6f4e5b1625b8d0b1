import { setTimeout as delay } from 'node:timers/promises'
import { withTestEnvironment } from '../harness/environment.ts'
import { fixed, printTable, whole } from '../harness/figures.ts'
import type { SimulatedProvider } from '../harness/simulated-provider.ts'
import type { BehaviourInput } from '../src/sim/behaviour.ts'
import type { CallEntry } from '../src/sim/call-journal.ts'
import { begunBetween, fillingOf, meanInFlight } from './support/calls-over-time.ts'
import { apiKey, type BatonInput } from './support/deployment.ts'
import { loadQueue } from './support/load-queue.ts'
import { startBaton, startSim } from './support/processes.ts'

const latencyMs = 8_000
const minuteMs = 60_000
const settledMs = 20_000
const runMs = 75_000
const told = 3_000
const hidden = 600
const places = 200

/** A provider's bound, and the share of it that was used between two moments, in Unix ms. */
interface Bound {
  readonly title: string
  readonly throttle: BehaviourInput['throttle']
  /** More than can be answered meanwhile. */
  readonly jobs: number
  use(served: readonly CallEntry[], fromMs: number, toMs: number): number
}

const ofRate =
  (perMinute: number): Bound['use'] =>
  (served, fromMs, toMs) =>
    begunBetween(served, fromMs, toMs).length / ((perMinute * (toMs - fromMs)) / minuteMs)

/** The names are those of the providers and of their routes. */
const bounds: Readonly<Record<string, Bound>> = {
  told: {
    title: `${whole(told)} a minute, told in headers`,
    throttle: { rpm: told },
    jobs: 2 * told,
    use: ofRate(told),
  },
  hidden: {
    title: `${whole(hidden)} a minute, told nowhere`,
    throttle: { rpm: hidden, silent: true },
    jobs: 4 * hidden,
    use: ofRate(hidden),
  },
  crowded: {
    title: `${whole(places)} at once, told nowhere`,
    throttle: { atOnce: places, silent: true },
    jobs: 20 * places,
    use: (served, fromMs, toMs) => meanInFlight(served, fromMs, toMs) / places,
  },
}

const names = Object.keys(bounds)

/** A new user's config: nothing but a key. */
const inputFor = (redisUrl: string, sims: Readonly<Record<string, SimulatedProvider>>): BatonInput => ({
  redisUrl,
  config: {
    server: { port: 0 },
    providers: Object.fromEntries(
      names.map(name => [name, { type: 'openai', base_url: `${sims[name]!.url}/v1`, api_key: apiKey }]),
    ),
    models: Object.fromEntries(names.map(name => [name, { provider: name }])),
  },
})

const percent = (share: number): string => fixed(100 * share, 1)

const rowOf = ({ title, use }: Bound, calls: readonly CallEntry[]): string[] => {
  const startMs = calls[0]!.startedAtMs
  const served = calls.filter(({ outcome }) => outcome === 'ok')
  const usedPercent = (fromMs: number, toMs: number) => percent(use(served, startMs + fromMs, startMs + toMs))
  const turnedAway = (fromMs: number, toMs: number) => {
    const begun = begunBetween(calls, startMs + fromMs, startMs + toMs)
    return percent(begun.filter(({ outcome }) => outcome === 'throttle').length / Math.max(1, begun.length))
  }
  return [
    title,
    usedPercent(0, settledMs),
    usedPercent(settledMs, runMs),
    turnedAway(settledMs, runMs),
    turnedAway(0, minuteMs),
    whole(fillingOf(served).peak),
  ]
}

/** What a worker makes of three providers of whose bounds its config says nothing. Each has a worker process. */
export const untuned = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const started = names.map(async name => {
      const sim = await startSim(environment, '--journal')
      await sim.behave({ throttle: bounds[name]!.throttle, latency: { kind: 'fixed', ms: latencyMs } })
      return [name, sim] as const
    })
    const sims = Object.fromEntries(await Promise.all(started))
    const input = inputFor(environment.redisUrl, sims)
    for (const name of names) await loadQueue(input, bounds[name]!.jobs, { route: name })
    await Promise.all(names.map(name => startBaton(environment, 'worker', { ...input, worksOn: name })))
    await delay(runMs + 1_000)
    const rows: string[][] = []
    for (const name of names) rows.push(rowOf(bounds[name]!, await sims[name]!.journal()))
    printTable(
      ['', '% used, first 20 s', 'after it', '429s % after it', '429s %, first minute', 'at once'],
      rows,
    )
  })
