import type { Target } from '../domain/job.ts'
import { parseBatchDoorbell, parseDoorbell } from '../jobs/doorbell.ts'
import type { Schedule } from '../jobs/schedule.ts'
import type { JobStore } from '../jobs/types.ts'
import { shards } from '../redis/keys.ts'
import type { Doorbells } from './doorbells.ts'
import { dueDoorbell } from './sweeper.ts'

export interface WakeParkedDeps {
  readonly schedule: Pick<Schedule, 'later'>
  readonly store: Pick<JobStore, 'readHeads'>
  readonly doorbells: Pick<Doorbells, 'ringAll'>
}

const pageSize = 500

/**
 * Rings the doorbells of all jobs that are parked for a provider before their time, or of those whose target `canBeAsked`. Answers
 * how many. What is rung leaves the schedule.
 */
export const wakeParked = async (
  { schedule, store, doorbells }: WakeParkedDeps,
  provider: string,
  canBeAsked: (target: Target) => boolean = () => true,
): Promise<number> => {
  let woken = 0
  for (const shard of shards) {
    for (let from = 0; ; ) {
      const entries = await schedule.later(shard, from, pageSize)
      const names = entries.filter(
        entry => parseBatchDoorbell(entry) === null && parseDoorbell(entry).kind === 'job',
      )
      const records = await store.readHeads(names.map(name => parseDoorbell(name).jobId))
      const rings = names
        .map((name, i) => {
          const record = records[i]
          const isParkedHere = record?.status === 'parked' && record.target.provider === provider
          return isParkedHere && canBeAsked(record.target)
            ? dueDoorbell(parseDoorbell(name), name, record)
            : null
        })
        .filter(ring => ring !== null)
      await doorbells.ringAll(rings)
      woken += rings.length
      if (entries.length < pageSize) break
      // Those behind the rung ones have moved up.
      from += entries.length - rings.length
    }
  }
  return woken
}
