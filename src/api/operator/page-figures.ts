import { countedWork, p95Within } from '../../health/counted-work.ts'
import type { ProcessHeartbeat, WorkerHeartbeat } from '../../health/heartbeats.ts'
import { parseBatchDoorbell, parseDoorbell } from '../../jobs/doorbell.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import { providerQueue } from '../../queue/doorbells.ts'
import type { Depth } from '../../queue/ready-list.ts'
import { shards, timeOf } from '../../redis/keys.ts'
import { createRates, type Rates } from '../../telemetry/rates.ts'
import type { ApiParts } from '../parts.ts'
import type { Figures, ProviderTick } from './views.ts'

type FigureParts = Pick<
  ApiParts,
  'config' | 'doorbells' | 'now' | 'presence' | 'processes' | 'schedule' | 'speeds' | 'store'
>

/** What changes all the time, as read at one moment. */
export interface PageFigures {
  readonly tick: Figures
  /** When all that waits now is likely to be done, in Unix seconds; null where that is not known. */
  readonly drainAt: number | null
  readonly drainAtOf: ReadonlyMap<string, number | null>
  readonly depths: ReadonlyMap<string, Depth>
  readonly oldestOf: ReadonlyMap<string, number | null>
  readonly parkedOf: ReadonlyMap<string, number>
  /** About how many deliveries of webhooks are due later. */
  readonly webhooksLater: number
  /** Jobs a second that go on without a call since nobody serves the queue, or until a call shows that it is back; by provider. */
  readonly passedOverPerSecond: ReadonlyMap<string, number>
  readonly workers: readonly WorkerHeartbeat[]
  readonly processes: readonly ProcessHeartbeat[]
}

/** Heartbeats come every two seconds: rates are of so long. */
const rateSpanMs = 10_000
/** Answers are fewer than counts. */
const p95SpanMs = 60_000
/** Parked jobs are counted among the entries of the schedule, of which so many of each shard are looked at, this often. */
const sampleSize = 500
const sampleEveryMs = 5_000
/** Of so many of these the provider is looked up. */
const mostRead = 200

/** Reads in few round trips what the page shows of the whole. Called about once a second while a page is open. */
export const createPageFigures = (parts: FigureParts): (() => Promise<PageFigures>) => {
  const { config, doorbells, speeds, now } = parts
  const providers = Object.keys(config.providers)
  const rates = createRates(rateSpanMs)
  const answers = createRates(p95SpanMs)
  let parked: Parked = { count: 0, of: new Map(), webhooks: 0 }
  let sampledAtMs = Number.NEGATIVE_INFINITY

  const sampleParked = async (): Promise<void> => {
    if (now() - sampledAtMs < sampleEveryMs) return
    sampledAtMs = now()
    parked = await countParked(parts)
  }

  const oldestIn = async (provider: string, waiting: number): Promise<number | null> => {
    if (waiting === 0) return null
    const times = (await doorbells.heads(providerQueue(provider))).map(timeOf)
    return times.length === 0 ? null : wholeSeconds(Math.min(...times))
  }

  const note = (workers: readonly WorkerHeartbeat[], processes: readonly ProcessHeartbeat[]): void => {
    const counted = countedWork(workers, processes)
    rates.note(now(), counted)
    answers.note(now(), counted)
  }

  return async () => {
    const [workers, processes, depths] = await Promise.all([
      parts.presence(),
      parts.processes(),
      Promise.all(providers.map(name => doorbells.depth(providerQueue(name)))),
      sampleParked(),
    ])
    const oldest = await Promise.all(providers.map((name, i) => oldestIn(name, depths[i]!.total)))
    note(workers, processes)
    const ticks = providers.map((name, i): [string, ProviderTick] => [
      name,
      providerTick(name, depths[i]!.total, workers, rates, answers),
    ])
    const drains = providers.map((name, i) => drainAt(depths[i]!.total, speeds.of(name).perSecond, now()))
    const waiting = depths.reduce((sum, { total }) => sum + total, 0)
    const isKnown = drains.every((at, i) => at !== null || depths[i]!.total === 0)
    const oldestKnown = oldest.filter(at => at !== null)
    return {
      tick: {
        read_at: wholeSeconds(now()),
        waiting,
        running: ticks.reduce((sum, [, { running }]) => sum + running, 0),
        parked: parked.count,
        oldest_waiting_at: oldestKnown.length === 0 ? null : Math.min(...oldestKnown),
        accepted_per_s: rates.perSecond('accepted'),
        ended_per_s: rates.perSecond('ended'),
        failed_per_s: rates.perSecond('failed'),
        handovers_per_s: rates.perSecond('handovers'),
        providers: Object.fromEntries(ticks),
      },
      drainAt: waiting === 0 || !isKnown ? null : Math.max(...drains.filter(at => at !== null)),
      drainAtOf: new Map(providers.map((name, i) => [name, drains[i]!])),
      depths: new Map(providers.map((name, i) => [name, depths[i]!])),
      oldestOf: new Map(providers.map((name, i) => [name, oldest[i]!])),
      parkedOf: parked.of,
      webhooksLater: parked.webhooks,
      passedOverPerSecond: new Map(
        providers.map(name => [name, rates.perSecond(`passed_over:${name}`) ?? 0]),
      ),
      workers,
      processes,
    }
  }
}

const providerTick = (
  name: string,
  waiting: number,
  workers: readonly WorkerHeartbeat[],
  rates: Rates,
  answers: Rates,
): ProviderTick => ({
  waiting,
  running: workers.reduce((sum, w) => sum + (w.provider === name ? w.callsInFlight : 0), 0),
  attempts_per_s: rates.perSecond(`attempts:${name}`),
  failures_per_s: rates.perSecond(`failures:${name}`),
  p95_ms: p95Within(answers, name),
})

const drainAt = (waiting: number, perSecond: number | null, nowMs: number): number | null =>
  waiting === 0 || perSecond === null || perSecond === 0
    ? null
    : wholeSeconds(nowMs + (waiting / perSecond) * 1_000)

interface Parked {
  readonly count: number
  /** By the provider that they are parked for. */
  readonly of: ReadonlyMap<string, number>
  /** Deliveries that stand there, too. */
  readonly webhooks: number
}

/** About how many jobs are parked: their doorbells are due later. Exact while a shard has few entries. */
const countParked = async ({ schedule, store }: Pick<FigureParts, 'schedule' | 'store'>): Promise<Parked> => {
  const [size, ...samples] = await Promise.all([
    schedule.size(),
    ...shards.map(shard => schedule.later(shard, sampleSize)),
  ])
  const entries = samples.flat()
  const found = entries.filter(
    entry => parseBatchDoorbell(entry) === null && parseDoorbell(entry).kind === 'job',
  )
  const isWhole = samples.every(({ length }) => length < sampleSize)
  const some = found.slice(0, mostRead).map(entry => parseDoorbell(entry).jobId)
  const heads = some.length === 0 ? [] : await store.readHeads(some)
  // What was only just written is owed a ring, and not parked.
  const parked = heads.filter(head => head?.status === 'parked')
  const ofAll = (count: number): number => (isWhole ? count : (count / entries.length) * size)
  const ofEntries = ofAll(found.length)
  const deliveries = entries.filter(entry => parseDoorbell(entry).kind === 'webhook').length
  const perHead = heads.length === 0 ? 0 : ofEntries / heads.length
  const byProvider = Map.groupBy(parked, head => head!.target.provider)
  return {
    count: Math.round(parked.length * perHead),
    of: new Map([...byProvider].map(([name, { length }]) => [name, Math.round(length * perHead)])),
    webhooks: Math.round(ofAll(deliveries)),
  }
}
