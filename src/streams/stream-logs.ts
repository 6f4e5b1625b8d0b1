import type { Cluster, Redis } from 'ioredis'
import { coalesce } from '../redis/coalesce.ts'
import { type Keys, shardOf } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import { streamScripts } from './scripts.ts'

/** A log whose job never ends, and one that lost its worker while Redis was away, go after this long. */
const orphanMs = 6 * 60 * 60_000

/** What a run has of its stream, from a byte offset on. */
export interface Append {
  readonly jobId: string
  /** The token of its claim: only the run that holds the job appends. */
  readonly token: string
  /** The token, or one derived from it where the run has begun anew: the name of the log. */
  readonly run: string
  readonly offset: number
  /** Whole events. */
  readonly text: string
  /** False beyond the most bytes of a log: then only those who read along get it. */
  readonly isKept: boolean
}

/** The logs of streamed answers: bytes in the client's own format, by byte offset, beside the record of their job. */
export interface StreamLogs {
  /**
   * Appends, and sends the same to the processes that read along. Resolves with the bytes that the log has then: fewer than
   * expected where Redis lost some, which are to be sent again; -1 when the run no longer has the job.
   */
  append(append: Append): Promise<number>
  /** At most `bytes` of a log from `offset` on; empty where there are none. */
  read(jobId: string, run: string, offset: number, bytes: number): Promise<Buffer>
  /** The run whose stream readers of the job have by now; null before its first byte. */
  current(jobId: string): Promise<string | null>
  /** This process reads along from now on. False when the job is not streamed, or gone. */
  join(jobId: string): Promise<boolean>
  /** This process reads along no more. True when no living one does, and nobody can come back for it. */
  leave(jobId: string): Promise<boolean>
}

export interface StreamLogsOptions {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  /** The name of this process: it is not sent what it appends itself. */
  readonly instance: string
  /** The processes that live; absent where all are taken to. One that was killed cannot take itself out of a record. */
  readonly living?: () => Promise<ReadonlySet<string>>
}

export const createStreamLogs = ({ redis, run, keys, instance, living }: StreamLogsOptions): StreamLogs => {
  const append = coalesce<Append, number>(
    ({ jobId }) => shardOf(jobId),
    async (shard, appends) => {
      const words = appends.map(a => [a.jobId, a.token, a.run, a.offset, a.text, a.isKept])
      const message = [orphanMs, instance, ...words]
      return (await run.packed(streamScripts.append, keys.schedule(shard), message)) as number[]
    },
  )
  const readers = async (
    jobId: string,
    reads: boolean,
    gone: readonly string[] = [],
  ): Promise<[count: number, ...names: string[]]> => {
    const words = [keys.record(jobId), reads ? 1 : 0, instance, ...gone]
    return (await run(streamScripts.readers, words)) as [number, ...string[]]
  }
  const leave = async (jobId: string): Promise<boolean> => {
    const [count, ...others] = await readers(jobId, false)
    if (count <= 0 || living === undefined) return count === -2
    const alive = await living()
    const gone = others.filter(other => !alive.has(other))
    return gone.length > 0 && (await readers(jobId, false, gone))[0] === -2
  }

  return {
    append: one => append(one),
    read: (jobId, name, offset, bytes) =>
      redis.getrangeBuffer(keys.log(jobId, name), offset, offset + bytes - 1),
    current: jobId => redis.hget(keys.record(jobId), 'log'),
    join: async jobId => (await readers(jobId, true))[0] > 0,
    leave,
  }
}
