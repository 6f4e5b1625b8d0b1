import type { Logger } from 'pino'
import { type DeliveryStatus, isTerminal } from '../domain/job.ts'
import { placeOf } from '../domain/place.ts'
import { type Doorbell, parseBatchDoorbell, parseDoorbell, webhookDoorbell } from '../jobs/doorbell.ts'
import type { JobRecord } from '../jobs/record.ts'
import type { Schedule } from '../jobs/schedule.ts'
import type { JobStore } from '../jobs/types.ts'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import { shards } from '../redis/keys.ts'
import {
  type AddressedDoorbell,
  batchWebhookRing,
  type Doorbells,
  jobWebhookRing,
  providerQueue,
} from './doorbells.ts'

const pollMs = 250
const limitPerShard = 200
/** Rounds further apart than this were not held up by work. */
const gapMs = 2_000
/** An entry taken by a sweeper that dies comes up again after this. */
const graceMs = 5_000
/** The most rounds of one shard at once: all but the last have hung for longer than the grace. */
const mostRounds = 3
/** A worker ends its own calls at the deadline; only one that is dead or stuck is still running after this. */
export const deadlineGraceMs = 5_000

export interface SweepDeps {
  readonly schedule: Schedule
  readonly store: JobStore
  readonly doorbells: Doorbells
  /** How the webhook of a batch, or of a notice, fares; null when there is none. */
  readonly readDelivery: (
    id: string,
  ) => Promise<{ readonly status: DeliveryStatus; readonly attempts: number } | null>
  readonly log: Logger
  readonly now: () => number
}

export interface SweeperDeps extends SweepDeps {
  /** Since when this process has heard of Redis without a break, by a time without a step. */
  readonly steadySinceMs: () => number
}

/** Where a record's doorbell is to be rung, or null when the doorbell is no longer the one it waits for. */
export const dueDoorbell = (
  doorbell: Doorbell,
  name: string,
  record: JobRecord,
): AddressedDoorbell | null => {
  if (doorbell.kind === 'job') {
    const waits = record.status === 'queued' || record.status === 'parked'
    if (!waits || record.hop !== doorbell.hop || record.generation !== doorbell.generation) return null
    return { queue: providerQueue(record.target.provider), doorbell: name, place: placeOf(record) }
  }
  if (doorbell.kind === 'webhook' && isDue(doorbell, record))
    return jobWebhookRing(name, record.tenant, record.lastChangeAtMs)
  return null
}

/** Whether this attempt is what the record's webhook waits for. */
const isDue = ({ attempt }: { readonly attempt: number }, { status, delivery }: JobRecord): boolean =>
  isTerminal(status) && delivery?.status === 'pending' && delivery.attempts === attempt

/** Entries of the schedule that came up, and the time at which they do so again. */
interface Taken {
  readonly entries: readonly string[]
  readonly untilMs: number
}

/**
 * Rings what is due, takes jobs from workers whose lease has ended, ends what is past its deadline, and drops what no longer
 * matters. `leaveLeases`: leases are left to a later round.
 */
const attendTo = async (
  parts: SweepDeps,
  { entries, untilMs }: Taken,
  leaveLeases: boolean,
): Promise<void> => {
  if (entries.length === 0) return
  const [ofBatches, ofJobs] = partition(entries, entry => parseBatchDoorbell(entry) !== null)
  await Promise.all([
    sweepJobs(parts, { entries: ofJobs, untilMs }, leaveLeases),
    ...ofBatches.map(entry => announceBatch(parts, { entry, untilMs }, leaveLeases)),
  ])
}

/** One round over all shards. */
export const sweep = async (parts: SweepDeps, leaveLeases = false): Promise<void> => {
  const untilMs = parts.now() + graceMs
  const entries = await parts.schedule.takeDue(limitPerShard, untilMs)
  await attendTo(parts, { entries, untilMs }, leaveLeases)
}

const partition = <Item>(items: readonly Item[], test: (item: Item) => boolean): [Item[], Item[]] => {
  const { yes = [], no = [] } = Object.groupBy(items, item => (test(item) ? 'yes' : 'no'))
  return [yes, no]
}

/** All that a batch can be owed is the delivery of its webhook. */
const announceBatch = async (
  parts: SweepDeps,
  { entry, untilMs }: { readonly entry: string; readonly untilMs: number },
  leaveLeases: boolean,
): Promise<void> => {
  const { schedule, doorbells } = parts
  const { batchId, attempt } = parseBatchDoorbell(entry)!
  const delivery = await parts.readDelivery(batchId)
  const isDue = delivery?.status === 'pending' && delivery.attempts === attempt
  if (!isDue) return schedule.remove([entry])
  const doorbell = webhookDoorbell(batchId, attempt)
  if (entry === doorbell)
    return doorbells.ring({ ...batchWebhookRing(doorbell, parts.now()), takenUntilMs: untilMs })
  if (!leaveLeases) await reschedule(parts, entry, doorbell)
}

/**
 * Schedules the doorbell of a webhook whose lease has ended for the next round. The doorbell is in the
 * schedule before the lease is gone, so a death between the two, or a new lease that is taken in between and
 * goes with the old one, costs at most a delivery too many.
 */
const reschedule = async ({ schedule, now }: SweepDeps, lease: string, doorbell: string): Promise<void> => {
  await schedule.add(doorbell, now())
  await schedule.remove([lease])
}

const sweepJobs = async (
  parts: SweepDeps,
  { entries, untilMs }: Taken,
  leaveLeases: boolean,
): Promise<void> => {
  const { schedule, store, doorbells, log, now } = parts
  const records = await store.readHeads(entries.map(entry => parseDoorbell(entry).jobId))

  const attend = async (entry: string, record: JobRecord | null): Promise<void> => {
    const doorbell = parseDoorbell(entry)
    if (record === null) return schedule.remove([entry])
    if (!isTerminal(record.status) && record.expiresAtMs <= now()) return expire(entry, record)
    if (doorbell.kind === 'deadline' && !isTerminal(record.status))
      return schedule.postpone(entry, record.expiresAtMs)
    if (doorbell.kind === 'lease' && !isTerminal(record.status)) return reclaim(record)
    if (doorbell.kind === 'delivery' && isDue(doorbell, record))
      return leaveLeases ? undefined : reschedule(parts, entry, webhookDoorbell(record.id, doorbell.attempt))
    const ring = dueDoorbell(doorbell, entry, record)
    return ring ? doorbells.ring({ ...ring, takenUntilMs: untilMs }) : schedule.remove([entry])
  }

  /** A lease that was left behind by mistake comes up again and again, and does no harm: removing it might remove a new one. */
  const reclaim = async (record: JobRecord): Promise<void> => {
    if (leaveLeases || record.status !== 'running') return
    if (await store.recover(record, untilMs))
      log.warn({ event: 'job.reclaimed', jobId: record.id }, 'job reclaimed from a silent worker')
  }

  const expire = async (entry: string, record: JobRecord): Promise<void> => {
    const deferUntilMs = record.expiresAtMs + deadlineGraceMs
    const was = await store.expire(record.id, deferUntilMs)
    if (was === 'deferred') await schedule.postpone(entry, deferUntilMs)
    else await schedule.remove([entry])
  }

  await Promise.all(entries.map((entry, i) => attend(entry, records[i]!)))
}

/** Sweeps one shard, independently of the others. */
interface ShardSweep {
  /** Begins a round, unless one is under way. */
  start(): void
  /** Resolves when no round is under way. */
  ended(): Promise<void>
}

const createShardSweep = (parts: SweeperDeps, shard: number, leaseMs: number): ShardSweep => {
  const { log, now } = parts
  let lastRoundAtMs = Number.NEGATIVE_INFINITY
  let steadySinceMs = 0
  let failing = false
  let rounds = 0
  let startedAtMs = 0
  let running: Promise<void> = Promise.resolve()

  /**
   * While Redis was away no worker could renew a lease, and all came to their end: they get the time to do so now. So does
   * the rest of the world when it was this process that stood still, or the time has stepped.
   */
  const leavesLeases = (nowMs: number): boolean => {
    if (nowMs - lastRoundAtMs > gapMs) steadySinceMs = nowMs
    return nowMs - Math.max(steadySinceMs, parts.steadySinceMs()) < leaseMs / 2
  }

  const round = async (): Promise<void> => {
    try {
      for (let taken = limitPerShard; taken >= limitPerShard; ) {
        const nowMs = now()
        const leave = leavesLeases(nowMs)
        const untilMs = nowMs + graceMs
        const entries = await parts.schedule.takeDueOf(shard, limitPerShard, nowMs, untilMs)
        // It waits for a Redis that is away.
        if (now() - nowMs > gapMs) steadySinceMs = now()
        await attendTo(parts, { entries, untilMs }, leave)
        lastRoundAtMs = now()
        // A full round means that more is due: go on at once.
        taken = entries.length
      }
      failing = false
    } catch (error) {
      if (!failing) log.warn({ event: 'sweep.failed', err: error, shard }, 'sweep of a shard failed')
      failing = true
    }
  }

  return {
    start: () => {
      // What a round has taken comes up again after the grace: so long is it waited for, and then not for ever, as it may
      // hang on a queue whose part of a Cluster is away.
      const isOverdue = now() - startedAtMs > graceMs && rounds < mostRounds
      if (rounds > 0 && !isOverdue) return
      rounds += 1
      startedAtMs = now()
      running = round().finally(() => {
        rounds -= 1
      })
    },
    ended: () => running,
  }
}

/**
 * Runs in every process: taking an entry is atomic, so sweepers share the work and none is needed in particular. Shards are
 * swept at the same moments, which saves writes, but none waits for another: in a Cluster each may stand on a server of
 * its own, and that may be away.
 */
export const createSweeper = (parts: SweeperDeps, leaseMs: number): Repeating => {
  const sweeps = shards.map(shard => createShardSweep(parts, shard, leaseMs))
  const ticking = createRepeating(
    'sweeper',
    pollMs,
    async () => {
      for (const sweep of sweeps) sweep.start()
    },
    parts.log,
  )
  return {
    start: ticking.start,
    stop: async () => {
      await ticking.stop()
      await Promise.all(sweeps.map(sweep => sweep.ended()))
    },
  }
}
