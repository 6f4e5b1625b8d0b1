import { parseBatchDoorbell, parseDoorbell } from '../../jobs/doorbell.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import { shards } from '../../redis/keys.ts'
import type { ApiParts } from '../parts.ts'
import { type LetterRecord, readLetterPage, readLetterRecord, receiverOf } from './letter-page.ts'
import type { ReceiversView, ReceiverView } from './receiver-view.ts'

type ReceiverParts = Pick<
  ApiParts,
  'batches' | 'deadLetters' | 'now' | 'receiverTallies' | 'schedule' | 'store'
>

/** Entries of the schedule that are looked at, of each shard, and dead letters. */
const entriesPerShard = 500
const mostLetters = 1_000
/** Records that are read of deliveries that wait. */
const mostWaiting = 1_000

/**
 * Receivers of webhooks by what they took of late, what waits for them and what was given up. The last two are seen in the schedule and
 * among the dead letters, as far as one request may look.
 */
export const readReceivers = async (parts: ReceiverParts): Promise<ReceiversView> => {
  const readAtMs = parts.now()
  const [waiting, tallies, letters] = await Promise.all([
    readWaiting(parts),
    parts.receiverTallies.read(),
    readLetterPage(parts, { tenant: null, sinceMs: 0 }, null, mostLetters),
  ])
  const dead = letters.found.map(({ letter, record }) => ({ record, atMs: letter.diedAtMs }))
  const deadBy = Map.groupBy(dead, ({ record }) => receiverOf(record))
  const waitingBy = Map.groupBy(waiting.records, receiverOf)
  const names = [...new Set([...waitingBy.keys(), ...deadBy.keys(), ...tallies.keys()])]
  return {
    object: 'list',
    data: names
      .map(name => ({
        ...receiverView(name, waitingBy.get(name) ?? [], deadBy.get(name) ?? [], readAtMs),
        ...(tallies.get(name) ?? { delivered: 0, failed: 0 }),
      }))
      .toSorted(byTrouble),
    complete: waiting.isWhole && letters.next === null,
    read_at: readAtMs / 1_000,
  }
}

/** What waits or was given up comes first, and then who was sent the most. */
const byTrouble = (a: ReceiverView, b: ReceiverView): number =>
  b.waiting + b.dead - a.waiting - a.dead ||
  b.delivered + b.failed - a.delivered - a.failed ||
  (a.receiver < b.receiver ? -1 : 1)

const readWaiting = async (
  parts: ReceiverParts,
): Promise<{ readonly records: readonly LetterRecord[]; readonly isWhole: boolean }> => {
  const lists = await Promise.all(shards.map(shard => parts.schedule.later(shard, entriesPerShard)))
  const ids = lists.flat().flatMap(entry => {
    const ofBatch = parseBatchDoorbell(entry)
    if (ofBatch !== null) return ofBatch.batchId
    const { kind, jobId } = parseDoorbell(entry)
    return kind === 'webhook' ? jobId : []
  })
  const some = [...new Set(ids)].slice(0, mostWaiting)
  const records = await Promise.all(some.map(readLetterRecord(parts)))
  return {
    records: records.filter(record => record?.delivery?.status === 'pending') as LetterRecord[],
    isWhole: some.length === new Set(ids).size && lists.every(({ length }) => length < entriesPerShard),
  }
}

/** Since when its webhook could have been delivered, in Unix ms; null where that is not kept. */
const owedSince = (record: LetterRecord): number | null => {
  if ('finishedAtMs' in record) return record.finishedAtMs
  return 'endedAtMs' in record ? record.endedAtMs : ((record.blocked ?? record.warning)?.sinceMs ?? null)
}

interface Dead {
  readonly record: LetterRecord
  readonly atMs: number
}

const receiverView = (
  receiver: string,
  waiting: readonly LetterRecord[],
  dead: readonly Dead[],
  nowMs: number,
): Omit<ReceiverView, 'delivered' | 'failed'> => {
  const failing = waiting.filter(({ delivery }) => delivery!.attempts > 0)
  const dues = waiting.flatMap(record => ('lastChangeAtMs' in record ? record.lastChangeAtMs : []))
  const reason = (failing[0] ?? dead[0]?.record)?.delivery?.reason ?? null
  return {
    receiver,
    waiting: waiting.length,
    oldest_at: earliest(waiting.map(owedSince)),
    failing_since: earliest(failing.map(owedSince)),
    next_at: earliest(dues.filter(dueMs => dueMs > nowMs)),
    last_reason: reason,
    last_status: Number(/_(\d{3})$/.exec(reason ?? '')?.[1] ?? 0) || null,
    dead: dead.length,
    last_died_at: dead.length === 0 ? null : wholeSeconds(dead[0]!.atMs),
  }
}

const earliest = (times: readonly (number | null)[]): number | null => {
  const known = times.filter(time => time !== null)
  return known.length === 0 ? null : wholeSeconds(Math.min(...known))
}
