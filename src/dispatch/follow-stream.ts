import type { LeadStream } from '../cache/answer-cache.ts'
import type { CallSignal } from '../domain/interrupt.ts'
import { jobErrorCodes } from '../domain/job.ts'
import type { JobRecord } from '../jobs/record.ts'
import type { JobStore } from '../jobs/types.ts'
import type { StreamHub } from '../streams/stream-hub.ts'
import type { StreamLeavers } from '../streams/stream-leavers.ts'
import type { StreamLogs } from '../streams/stream-logs.ts'
import { createStreamReader } from '../streams/stream-reader.ts'
import type { StreamWriter } from '../streams/stream-writer.ts'
import type { Ending, Execution, Result } from './execution.ts'
import { pause } from './pause.ts'

export interface FollowStreamDeps {
  readonly hub: StreamHub
  readonly logs: StreamLogs
  readonly leavers: StreamLeavers
  readonly store: Pick<JobStore, 'read' | 'readHeads'>
  readonly persist: <T>(read: () => Promise<T>) => Promise<T>
}

/**
 * Streams to the readers of a job what the leader of its call streams to its own. Null when there is nothing to read, and
 * nothing has been passed on: then the job waits for the leader's end, as those do that do not stream.
 */
export type FollowStream = (run: Execution, stream: LeadStream) => Promise<Ending | null>

/**
 * A leader that brings nothing for so long may have ended: its record is looked at, and again after twice as long. Readers do
 * not notice, since the last event tells them that the stream is whole.
 */
const quietMs = 50
const longestQuietMs = 1_000

/** The log is read in pieces that may end within an event, even within a character; what is written has whole events. */
const wholeEventsTo = (writer: StreamWriter) => {
  let rest: Buffer = Buffer.alloc(0)
  return (bytes: Buffer): boolean => {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    const end = all.lastIndexOf('\n\n')
    const next = end === -1 ? 0 : end + 2
    if (next > 0) writer.write(all.toString('utf8', 0, next))
    rest = all.subarray(next)
    return true
  }
}

const brokenOff: Result = {
  ...{ status: 'failed', response: null, refused: false, usage: null },
  error: { code: 'stream_broken', message: jobErrorCodes.stream_broken },
}

/** As if it had been found in the cache: no provider was asked for this job. */
const sameAnswer = ({ response, refused, cachedFrom, target }: JobRecord): Result => ({
  ...{ status: 'succeeded', response, error: null, refused },
  usage: { input_tokens: 0, output_tokens: 0 },
  cachedFrom: cachedFrom ?? target,
})

/** A follower's way through the stream of its leader, until that has ended or the follower is interrupted. */
const untilOver = async (
  record: () => Promise<JobRecord | null>,
  position: () => number,
  interrupt: CallSignal,
): Promise<JobRecord | null> => {
  let waitMs = quietMs
  let before = -1
  for (;;) {
    await pause(waitMs, interrupt)
    if (interrupt.aborted) return null
    const isQuiet = position() === before
    before = position()
    waitMs = isQuiet ? Math.min(2 * waitMs, longestQuietMs) : quietMs
    if (!isQuiet) continue
    // While Redis is away nothing ends.
    const leader = await record().catch(() => undefined)
    if (leader !== undefined && leader?.status !== 'running') return leader
  }
}

/**
 * A follower writes a log of its own, fenced by its own run: so its readers resume, and it fails once it has given a part, as
 * any streamed job. Its process is among the readers of the leader, whose call goes on while anybody reads it.
 */
export const createFollowStream = (deps: FollowStreamDeps): FollowStream => {
  const { hub, logs, leavers, store, persist } = deps

  /** Its log has all that the leader's has when this ends. */
  const copy = async (run: Execution, writer: StreamWriter, stream: LeadStream): Promise<Ending | null> => {
    const { jobId } = stream
    const write = wholeEventsTo(writer)
    const reader = createStreamReader({ jobId, hub, logs, from: { run: stream.run, offset: 0 }, write })
    reader.catchUp()
    let isOver = false
    try {
      const head = async () => (await store.readHeads([jobId]))[0] ?? null
      const ended = await untilOver(head, () => reader.position.offset, run.interrupt)
      if (run.interrupt.aborted) return { kind: 'interrupted', reason: run.interrupt.reason }
      isOver = true
      const end = ended?.log ? await persist(() => reader.finish(ended.log)) : 'short'
      const leader =
        ended?.status === 'succeeded' && end === 'whole' ? await persist(() => store.read(jobId)) : null
      if (leader?.status === 'succeeded')
        return { kind: 'finished', answer: null, result: sameAnswer(leader) }
      return writer.isCommitted ? { kind: 'finished', answer: null, result: brokenOff } : null
    } finally {
      reader.close()
      if (!isOver) leavers.left(jobId)
    }
  }

  return async (run, stream) => {
    if (run.stream === null) return null
    const [leader] = await store.readHeads([stream.jobId])
    // One that ended without an answer has nothing for a job that may still ask for itself.
    const isStreaming = leader?.status === 'running' || leader?.status === 'succeeded'
    if (!isStreaming || leader.log?.run !== stream.run) return null
    return (await logs.join(stream.jobId)) ? copy(run, run.stream, stream) : null
  }
}
