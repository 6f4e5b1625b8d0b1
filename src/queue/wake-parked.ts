import type { Target } from '../domain/job.ts'
import { parseBatchDoorbell, parseDoorbell } from '../jobs/doorbell.ts'
import type { Schedule, ScheduledEntry } from '../jobs/schedule.ts'
import type { JobStore } from '../jobs/types.ts'
import { shards } from '../redis/keys.ts'
import type { AddressedDoorbell, Doorbells } from './doorbells.ts'
import { dueDoorbell } from './sweeper.ts'

export interface WakeParkedDeps {
  readonly schedule: Pick<Schedule, 'from'>
  readonly store: Pick<JobStore, 'readHeads'>
  readonly doorbells: Pick<Doorbells, 'ringAll'>
  readonly now: () => number
}

const pageSize = 500

/**
 * Rings the doorbells of all jobs that are parked for a provider before their time, or of those whose target `canBeAsked`. Goes
 * over a page of the schedule with each step, and yields how many it has rung there. What is rung leaves the schedule.
 */
export async function* wakeParked(
  parts: WakeParkedDeps,
  provider: string,
  canBeAsked: (target: Target) => boolean = () => true,
): AsyncGenerator<number, void> {
  for (const shard of shards) {
    for (let [place, isLast] = [{ ms: parts.now(), passed: 0 }, false]; !isLast; ) {
      const entries = await parts.schedule.from(shard, place, pageSize)
      const rings = await ringsAmong(parts, entries, provider, canBeAsked)
      await parts.doorbells.ringAll(rings)
      yield rings.length
      isLast = entries.length < pageSize
      // Jobs that one stop has parked come up at one time. Those that are rung are no longer among them.
      const rung = new Set(rings.map(({ doorbell }) => doorbell))
      const { dueAtMs: ms = place.ms } = entries.at(-1) ?? {}
      const stay = entries.filter(({ entry, dueAtMs }) => dueAtMs === ms && !rung.has(entry)).length
      place = { ms, passed: ms === place.ms ? place.passed + stay : stay }
    }
  }
}

const ringsAmong = async (
  { store }: WakeParkedDeps,
  entries: readonly ScheduledEntry[],
  provider: string,
  canBeAsked: (target: Target) => boolean,
): Promise<AddressedDoorbell[]> => {
  const names = entries
    .map(({ entry }) => entry)
    .filter(entry => parseBatchDoorbell(entry) === null && parseDoorbell(entry).kind === 'job')
  const records = await store.readHeads(names.map(name => parseDoorbell(name).jobId))
  return names
    .map((name, i) => {
      const record = records[i]
      const isParkedHere = record?.status === 'parked' && record.target.provider === provider
      return isParkedHere && canBeAsked(record.target) ? dueDoorbell(parseDoorbell(name), name, record) : null
    })
    .filter(ring => ring !== null)
}

/** The same at once. Answers how many were rung. */
export const wakeAllParked = async (...args: Parameters<typeof wakeParked>): Promise<number> => {
  let woken = 0
  for await (const rung of wakeParked(...args)) woken += rung
  return woken
}
