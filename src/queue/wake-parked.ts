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
 * Rings the doorbells of all jobs that are parked for a provider before their time. Those in the schedule lead nowhere when they come up.
 */
export const wakeParked = async (
  { schedule, store, doorbells }: WakeParkedDeps,
  provider: string,
): Promise<void> => {
  for (const shard of shards) {
    for (let from = 0; ; from += pageSize) {
      const entries = await schedule.later(shard, from, pageSize)
      const names = entries.filter(
        entry => parseBatchDoorbell(entry) === null && parseDoorbell(entry).kind === 'job',
      )
      const records = await store.readHeads(names.map(name => parseDoorbell(name).jobId))
      const rings = names.map((name, i) => {
        const record = records[i]
        const isParkedHere = record?.status === 'parked' && record.target.provider === provider
        return isParkedHere ? dueDoorbell(parseDoorbell(name), name, record) : null
      })
      await doorbells.ringAll(rings.filter(ring => ring !== null))
      if (entries.length < pageSize) break
    }
  }
}
