import type { BatchView } from '../../src/batches/view.ts'
import type { JobView } from '../../src/jobs/view.ts'
import type { CallEntry } from '../../src/sim/call-journal.ts'
import type { Delivery } from '../../src/sim/webhook-receiver.ts'
import type { Life } from '../cluster/supervised.ts'
import type { Fault } from '../faults/fault-log.ts'
import type { Ledger } from '../load/ledger.ts'
import type { Sighting } from '../load/watch.ts'

/** A promise that was not kept. */
export interface Violation {
  readonly rule: string
  /** The job or batch that it is about, by id; null for the cluster as a whole. */
  readonly id: string | null
  /** The marker of the request; null where there is none. */
  readonly marker: string | null
  readonly what: string
}

/** A call that a simulated provider took. */
export interface Call extends CallEntry {
  readonly provider: string
}

export type Event = Pick<Delivery, 'id' | 'isVerified' | 'event' | 'status' | 'atMs'>

export interface EndedBatch {
  readonly view: BatchView
  readonly output: string
  readonly errors: string
}

/** Something that should not be in Redis once everything has ended. */
export interface Leftover {
  /** The key or the kind of keys. */
  readonly where: string
  readonly count: number
  /** Some of what stands there. */
  readonly sample: readonly string[]
}

/** All that could be seen from outside when the run was over. */
export interface Evidence {
  readonly ledger: Ledger
  /** What `GET /v1/jobs/:id` answered for each accepted job, by id. */
  readonly jobs: ReadonlyMap<string, JobView>
  /** Ids that `GET /v1/jobs` lists. */
  readonly listed: readonly string[]
  readonly batches: ReadonlyMap<string, EndedBatch>
  readonly sightings: readonly Sighting[]
  readonly deliveries: readonly Event[]
  /** Jobs and batches that `GET /v1/dead-letters` lists. */
  readonly deadLetters: ReadonlySet<string>
  readonly calls: readonly Call[]
  readonly faults: readonly Fault[]
  readonly lives: ReadonlyMap<string, readonly Life[]>
  readonly leftovers: readonly Leftover[]
  /** Bytes in RAM at the end, by process. */
  readonly residentBytes: ReadonlyMap<string, number>
}
