import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Routes } from '../dispatch/routes.ts'
import type { ObstacleOf } from '../domain/obstacle.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import type { JobRecord } from '../jobs/record.ts'
import type { JobStore } from '../jobs/types.ts'
import { batchJobId } from '../redis/keys.ts'
import { LeaseLost, type Progress } from './progress.ts'
import type { BatchRecord, Blocking } from './record.ts'
import type { BatchLease } from './steps.ts'
import type { BatchWork } from './work.ts'

export interface BlockedDeps {
  readonly work: Pick<BatchWork, 'block'>
  readonly store: Pick<JobStore, 'readHeads'>
  readonly routes: Routes
  readonly obstacleOf: ObstacleOf
  readonly log: Logger
  readonly now: () => number
}

export interface BlockedRun {
  readonly batch: BatchRecord
  readonly lease: BatchLease
  readonly progress: Progress
  readonly signal: AbortSignal
}

const roundMs = 250
/** For so long nothing was fed, done or collected: before, lines that go on may only be between two of their steps. */
const quietMs = 750
const together = 200
/** How many jobs of a blocked batch each round looks at. */
const sampleSize = 20
/** A provider that turns a call away does so sooner: one that takes so long has taken it on. */
const takenOnMs = 5_000

/**
 * Notes that a batch cannot go on before a person acts: all of its open lines are parked for what only a
 * person can mend, and no more are fed. An answer, a call that lasts, or a line that waits for something else
 * shows that it goes on; the calls with which keys and models are tried now and then show nothing.
 */
export const watchBlocked = async (parts: BlockedDeps, run: BlockedRun): Promise<void> => {
  const { store, routes, obstacleOf, log, now } = parts
  const { batch, lease, progress, signal } = run
  const targets = new Map<string, RouteTarget>()
  for (const target of [...routes.values()].flatMap(route => route.targets))
    targets.set(`${target.provider}/${target.model}`, target)
  let { blocked } = batch
  let answeredBefore = progress.answered
  let sampledUpTo = 0
  /** The line that last showed that the batch goes on: asked first the next time. */
  let goesOn: number | null = null

  /** In memory: while nothing is stopped or paused, Redis is asked nothing. */
  const isTrouble = (): boolean =>
    targets.values().some(target => (obstacleOf(target)?.blocks ?? null) !== null)

  const read = (numbers: readonly number[]): Promise<readonly (JobRecord | null)[]> =>
    store.readHeads(numbers.map(number => batchJobId(batch.id, number)))

  const findBlocking = async (): Promise<Blocking | null> => {
    const open = [...progress.open]
    const numbers = goesOn !== null && progress.open.has(goesOn) ? [goesOn, ...open] : open
    let found: Blocking | null = null
    for (let from = 0; from < numbers.length && !signal.aborted; from += together) {
      const some = numbers.slice(from, from + together)
      const records = await read(some)
      const other = records.findIndex(record => blockOf(record) === null)
      goesOn = other === -1 ? null : some[other]!
      if (goesOn !== null) return null
      found ??= blockOf(records[0]!)
    }
    return found && { ...found, sinceMs: Math.max(found.sinceMs, batch.createdAtMs) }
  }

  const isStill = async (blocking: Blocking): Promise<boolean> => {
    if (progress.status === 'cancelling' || progress.answered > answeredBefore) return false
    const target = targets.get(`${blocking.provider}/${blocking.model}`)
    if (blocking.reason === 'paused' && target && obstacleOf(target)?.blocks !== 'paused') return false
    const open = [...progress.open]
    const start = open.findIndex(number => number > sampledUpTo)
    const numbers = open.slice(Math.max(0, start), Math.max(0, start) + sampleSize)
    sampledUpTo = numbers.at(-1) ?? 0
    return !(await read(numbers)).some(record => record !== null && hasGoneOn(record, now()))
  }

  const say = async (blocking: Blocking | null): Promise<void> => {
    if ((await parts.work.block(lease, blocking)) === 'lost')
      throw new LeaseLost('the lease of the batch is lost')
    blocked = blocking
    answeredBefore = progress.answered
    if (blocking === null) log.info({ event: 'batch.unblocked' }, 'batch unblocked')
    else
      log.error(
        { event: 'batch.blocked', provider: blocking.provider, reason: blocking.reason },
        'batch blocked: a person must act',
      )
  }

  let seen = ''
  let quietSinceMs = now()
  while (!signal.aborted) {
    const mark = `${progress.fed} ${progress.done} ${progress.collected}`
    if (mark !== seen) quietSinceMs = now()
    seen = mark
    if (blocked !== null) {
      if (!(await isStill(blocked))) await say(null)
    } else if (progress.open.size > 0 && progress.done === 0 && progress.status !== 'cancelling') {
      const isQuiet = now() - quietSinceMs >= quietMs
      const blocking = isQuiet && isTrouble() ? await findBlocking() : null
      if (blocking !== null) await say(blocking)
    }
    await delay(roundMs, undefined, { signal }).catch(() => undefined)
  }
}

const blockOf = (record: JobRecord | null): Blocking | null => {
  const { blocks = null, error, sinceMs = 0 } = record?.standing ?? {}
  if (record?.status !== 'parked' || blocks === null || error === undefined) return null
  const { provider, model, message } = error
  return { reason: blocks, message, provider, model, sinceMs }
}

const hasGoneOn = (record: JobRecord, nowMs: number): boolean => {
  if (record.status === 'running') return nowMs - record.lastChangeAtMs > takenOnMs
  return record.status === 'parked' && record.standing?.blocks === null
}
