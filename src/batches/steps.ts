import type { FileRecord, Segment } from '../files/record.ts'
import type { NewJob } from '../jobs/types.ts'
import type { BatchStatus, LineCounts } from './record.ts'

/** A batch that one feeder drives: the token fences all it does. */
export interface BatchLease {
  readonly id: string
  readonly token: string
}

/** `lost`: another feeder has the batch, or it has ended. `changed`: Redis knows another state than the feeder; it is to begin anew. */
export type Fenced = BatchStatus | 'lost' | 'changed'

/** A job of a batch. Its id is derived from the number of its request. */
export interface BatchJob extends NewJob {
  readonly customId: string
  readonly line: number
  readonly bytes: number
}

/** The next lines of the input, in order: `from` requests were fed before, `to` after. */
export interface Feed {
  readonly from: number
  readonly to: number
  readonly offset: number
  readonly line: number
  readonly jobs: readonly BatchJob[]
  /** Lines that never become jobs, as `formatUnfed` words them. */
  readonly skipped: readonly string[]
}

/** Lines that are durable in the output files. */
export interface Collection {
  /** Sets this collection apart from any other of the batch. */
  readonly name: string
  /** The oldest done lines, as they were peeked. */
  readonly entries: readonly string[]
  /** Every job up to this number is collected with these. */
  readonly lowWatermark: number
  /** Bytes of their requests. */
  readonly bytes: number
  readonly output: Segment | null
  readonly error: Segment | null
  readonly counts: LineCounts
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens: number
  /** In `costUnits`; null when no line had a price. */
  readonly cost: number | null
  readonly providers: ReadonlyMap<string, number>
  /** Lines among them that were jobs. */
  readonly jobs: number
}

export interface EndedFiles {
  readonly output: FileRecord | null
  readonly error: FileRecord | null
}
