import type { Cluster, Redis } from 'ioredis'
import type { Keys } from '../redis/keys.ts'
import { createOwedWrite } from '../redis/owed-write.ts'
import type { RecordFields } from './record.ts'

/**
 * Longer bodies and answers stay out of scripts, in keys of their own: Redis does nothing else while a script runs, and one
 * that unpacks, copies and packs 28 MB takes it some 500 ms, where a plain SET takes 1. A script may carry several jobs, so
 * the limit is far below what one could have.
 */
export const apartBytes = 64 * 1024

export const isApart = (text: string): boolean =>
  text.length > apartBytes || (text.length * 3 > apartBytes && Buffer.byteLength(text) > apartBytes)

/** What a script carries of a text: of a long one, nothing. */
export const carriedBytes = (text: string): number => (isApart(text) ? 0 : text.length)

/**
 * A payload that no script has taken over by then expires: the process that wrote it died, or was too late.
 */
const orphanMs = 10 * 60_000
/**
 * The bytes of one piece of an answer that is written while Redis is full: as much as a script may well
 * carry.
 */
const pieceBytes = 256 * 1024

/** Redis has as much as it may, and takes nothing new. */
export const isRefusedAsFull = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('OOM')

/**
 * The one place that reads and writes long bodies and answers. Each is written before the record that names it, with an end
 * in sight, and the script that writes the record takes that end away, or finds that the key is gone and does nothing.
 */
export interface Payloads {
  /** Harmless when it is there already: a request's body never changes. */
  putRequest(jobId: string, body: string): Promise<void>
  /** Drops the body of a job that was not made. */
  dropRequest(jobId: string): Promise<void>
  request(jobId: string): Promise<string | null>
  /** Also while Redis is full. Each run of a job has a key of its own, so none writes over another's. */
  putAnswer(jobId: string, run: string, body: string): Promise<void>
  answer(jobId: string, run: string): Promise<string | null>
  /** The fields of a record that has its answer elsewhere, with the answer; others as they are. */
  whole<Fields extends RecordFields>(jobId: string, fields: Fields): Promise<Fields>
}

export const createPayloads = (redis: Redis | Cluster, keys: Keys): Payloads => {
  const owed = createOwedWrite(redis)

  const putInPieces = async (key: string, body: string): Promise<void> => {
    const bytes = Buffer.from(body)
    await owed('SET', key, bytes.subarray(0, pieceBytes), 'PX', orphanMs)
    for (let at = pieceBytes; at < bytes.length; at += pieceBytes) {
      await owed('APPEND', key, bytes.subarray(at, at + pieceBytes))
    }
  }

  const answer: Payloads['answer'] = (jobId, run) => redis.get(keys.answer(jobId, run))

  return {
    putRequest: async (jobId, body) => {
      const key = keys.payload(jobId)
      // One that a job has taken over must not get an end again, nor one that waits for that lose the time it was given.
      await Promise.all([redis.set(key, body, 'PX', orphanMs, 'NX'), redis.pexpire(key, orphanMs, 'GT')])
    },
    dropRequest: async jobId => {
      await redis.unlink(keys.payload(jobId))
    },
    request: jobId => redis.get(keys.payload(jobId)),
    putAnswer: async (jobId, run, body) => {
      const key = keys.answer(jobId, run)
      try {
        await redis.set(key, body, 'PX', orphanMs)
      } catch (error) {
        if (!isRefusedAsFull(error)) throw error
        await putInPieces(key, body)
      }
    },
    answer,
    whole: async (jobId, fields) => {
      if (!fields.apart) return fields
      const body = await answer(jobId, fields.apart)
      if (body === null) throw new Error(`the answer of ${jobId} is gone`)
      return { ...fields, body }
    },
  }
}

/** Beyond this, something takes away what was just written. */
const mostTries = 3

/** Writes something long, then the record that takes it over; both again when it went in between, as after a long outage. */
export const longWrite = async <Reply>(
  writeLong: () => Promise<void>,
  writeRecord: () => Promise<Reply>,
  isGone: (reply: Reply) => boolean,
): Promise<Reply> => {
  for (let tries = 1; ; tries += 1) {
    await writeLong()
    const reply = await writeRecord()
    if (!isGone(reply)) return reply
    if (tries === mostTries) throw new Error('a long text that was just written is gone')
  }
}
