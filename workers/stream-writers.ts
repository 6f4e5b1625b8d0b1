import type { Logger } from 'pino'
import type { AppContext } from '../src/context/context.ts'
import type { ExecutorDeps } from '../src/dispatch/execute.ts'
import type { ResultWrites } from '../src/dispatch/persist.ts'
import { createStreamWriter } from '../src/streams/stream-writer.ts'

/** While Redis is busy, tokens that an answer brings in this time go into the log of its stream together. */
const groupMs = 25
/** Where only connections of this process read it, the log serves those that were cut off, and may be so late. */
const ownGroupMs = 100

/** Opens the stream of a job that a worker of this process runs. */
export const streamsOf =
  (
    { streamHub, streamLogs, instance, config }: AppContext,
    log: Logger,
    persist: ResultWrites['persist'],
  ): ExecutorDeps['openStream'] =>
  ({ id, token, stream = [] }, nth, onLost) => {
    const isReadElsewhere = stream.some(reader => reader !== instance)
    return createStreamWriter({
      jobId: id,
      token,
      run: nth === 1 ? token : `${token}-${nth}`,
      logs: streamLogs,
      deliver: streamHub.deliver,
      onLost,
      persist,
      groupMs: isReadElsewhere ? groupMs : ownGroupMs,
      isPrompt: isReadElsewhere,
      maxBytes: config.stream.max_log_bytes,
      log,
    })
  }
