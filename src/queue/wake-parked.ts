import { parseBatchDoorbell, parseDoorbell } from '../jobs/doorbell.ts'
import { type Agenda, shards } from '../jobs/schedule.ts'
import type { JobStore } from '../jobs/store.ts'
import type { Doorbells } from './doorbells.ts'
import { ringFor } from './sweeper.ts'

export interface WakeParts {
  readonly agenda: Pick<Agenda, 'later'>
  readonly store: Pick<JobStore, 'readHeads'>
  readonly doorbells: Pick<Doorbells, 'ringAll'>
}

const pageSize = 500

/**
 * Rings the doorbells of all jobs that are parked for a provider before their time. Those in the agenda lead nowhere when they come up.
 */
export const wakeParked = async (
  { agenda, store, doorbells }: WakeParts,
  provider: string,
): Promise<void> => {
  for (const shard of shards) {
    for (let from = 0; ; from += pageSize) {
      const entries = await agenda.later(shard, from, pageSize)
      const names = entries.filter(
        entry => parseBatchDoorbell(entry) === null && parseDoorbell(entry).kind === 'job',
      )
      const records = await store.readHeads(names.map(name => parseDoorbell(name).jobId))
      const rings = names.map((name, i) => {
        const record = records[i]
        const isParkedHere = record?.status === 'parked' && record.target.provider === provider
        return isParkedHere ? ringFor(parseDoorbell(name), name, record) : null
      })
      await doorbells.ringAll(rings.filter(ring => ring !== null))
      if (entries.length < pageSize) break
    }
  }
}
