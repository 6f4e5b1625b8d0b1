import type { Logger } from 'pino'
import { isTerminal } from '../domain/job.ts'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import type { Agenda } from '../store/agenda.ts'
import type { BatchStore } from '../store/batch-store.ts'
import type { JobRecord } from '../store/job-record.ts'
import type { JobStore } from '../store/job-store.ts'
import { type Doorbell, parseBatchDoorbell, parseDoorbell } from './doorbell.ts'
import { type Doorbells, providerQueue, type Ring, webhookQueue } from './doorbells.ts'

const pollMs = 250
const limitPerShard = 200
/** Rounds further apart than this were not held up by work. */
const gapMs = 2_000
/** An entry taken by a sweeper that dies comes up again after this. */
const graceMs = 5_000
/** A worker ends its own calls at the deadline; only one that is dead or stuck is still running after this. */
const deadlineGraceMs = 5_000

export interface SweeperParts {
  readonly agenda: Agenda
  readonly store: JobStore
  readonly doorbells: Doorbells
  readonly batches: Pick<BatchStore, 'read'>
  readonly log: Logger
  readonly now: () => number
}

/** Where a record's doorbell is to be rung, or null when the doorbell is no longer the one it waits for. */
export const ringFor = (doorbell: Doorbell, name: string, record: JobRecord): Ring | null => {
  if (doorbell.kind === 'job') {
    const waits = record.status === 'queued' || record.status === 'parked'
    if (!waits || record.hop !== doorbell.hop || record.ring !== doorbell.ring) return null
    return { queue: providerQueue(record.target.provider), doorbell: name, priority: record.priority }
  }
  if (doorbell.kind === 'webhook') {
    const due = isTerminal(record.status) && record.delivery?.status === 'pending'
    return due && record.delivery.attempts === doorbell.attempt
      ? { queue: webhookQueue, doorbell: name }
      : null
  }
  return null
}

/**
 * One round: rings what is due, takes jobs from workers whose lease has ended, ends what is past its deadline, and drops
 * what no longer matters. `spareWorkers`: leases are left to a later round.
 */
export const sweep = async (parts: SweeperParts, spareWorkers = false): Promise<number> => {
  const entries = await parts.agenda.takeDue(limitPerShard, graceMs)
  const [ofBatches, ofJobs] = partition(entries, entry => parseBatchDoorbell(entry) !== null)
  await Promise.all([
    sweepJobs(parts, ofJobs, spareWorkers),
    ...ofBatches.map(entry => announceBatch(parts, entry)),
  ])
  return entries.length
}

const partition = <Item>(items: readonly Item[], test: (item: Item) => boolean): [Item[], Item[]] => {
  const { yes = [], no = [] } = Object.groupBy(items, item => (test(item) ? 'yes' : 'no'))
  return [yes, no]
}

/** All that a batch can be owed is the delivery of its webhook. */
const announceBatch = async ({ agenda, batches, doorbells }: SweeperParts, entry: string): Promise<void> => {
  const { batchId, attempt } = parseBatchDoorbell(entry)!
  const delivery = (await batches.read(batchId))?.delivery
  const isDue = delivery?.status === 'pending' && delivery.attempts === attempt
  return isDue ? doorbells.ring({ queue: webhookQueue, doorbell: entry }) : agenda.remove([entry])
}

const sweepJobs = async (
  { agenda, store, doorbells, log, now }: SweeperParts,
  entries: readonly string[],
  spareWorkers: boolean,
): Promise<void> => {
  const records = await store.readHeads(entries.map(entry => parseDoorbell(entry).jobId))

  const attend = async (entry: string, record: JobRecord | null): Promise<void> => {
    const doorbell = parseDoorbell(entry)
    if (record === null) return agenda.remove([entry])
    if (!isTerminal(record.status) && record.expiresAtMs <= now()) return expire(entry, record)
    if (doorbell.kind === 'deadline' && !isTerminal(record.status))
      return agenda.postpone(entry, record.expiresAtMs)
    if (doorbell.kind === 'lease' && !isTerminal(record.status)) return relieve(record)
    const ring = ringFor(doorbell, entry, record)
    return ring ? doorbells.ring(ring) : agenda.remove([entry])
  }

  /** A lease that was left behind by mistake comes up again and again, and does no harm: removing it might remove a new one. */
  const relieve = async (record: JobRecord): Promise<void> => {
    if (spareWorkers || record.status !== 'running') return
    if (await store.recover(record)) log.warn({ jobId: record.id }, 'job taken from a silent worker')
  }

  const expire = async (entry: string, record: JobRecord): Promise<void> => {
    const spareUntilMs = record.expiresAtMs + deadlineGraceMs
    const was = await store.expire(record.id, spareUntilMs)
    if (was === 'spared') await agenda.postpone(entry, spareUntilMs)
    else await agenda.remove([entry])
  }

  await Promise.all(entries.map((entry, i) => attend(entry, records[i]!)))
}

/** Runs in every process: taking an entry is atomic, so sweepers share the work and none is needed in particular. */
export const createSweeper = (parts: SweeperParts, leaseMs: number): Repeating => {
  let lastRoundAtMs = Number.NEGATIVE_INFINITY
  let steadySinceMs = 0

  /**
   * While Redis was away no worker could renew a lease, and all came to their end: they get the time to do so now. So does
   * the rest of the world when it was this process that stood still.
   */
  const sparesWorkers = (): boolean => {
    const nowMs = parts.now()
    if (nowMs - lastRoundAtMs > gapMs) steadySinceMs = nowMs
    return nowMs - steadySinceMs < leaseMs / 2
  }

  const round = async (): Promise<void> => {
    const spare = sparesWorkers()
    // A full round means that more is due: go on at once.
    while ((await sweep(parts, spare)) >= limitPerShard);
    lastRoundAtMs = parts.now()
  }

  return createRepeating('sweeper', pollMs, round, parts.log)
}
