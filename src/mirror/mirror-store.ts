import { createHash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import type { Target } from '../domain/job.ts'
import { encodeBody, jobFields } from '../jobs/codec.ts'
import { deadlineEntry, jobDoorbell } from '../jobs/doorbell.ts'
import { createPayloads } from '../jobs/payloads.ts'
import { outboxGraceMs } from '../jobs/schedule.ts'
import type { NewJob } from '../jobs/types.ts'
import { type Keys, shardOf } from '../redis/keys.ts'
import { createScriptRunner, defineScript } from '../redis/scripts.ts'
import type { ComparedCall } from './compared-call.ts'
import { type Pair, pairsKeptMs } from './pairs.ts'

/** Which mirror of which route; with another target, everything is counted anew. */
export interface Mirror {
  readonly route: string
  readonly to: Target
}

/** Counters by name; see `tally`. */
export type Stats = Readonly<Record<string, string>>

export interface MirrorStore {
  /** False when `places` samples are under way already, and this one is dropped. */
  reserve(mirror: Mirror, id: string, givenUpAtMs: number, places: number): Promise<boolean>
  /** Without the original where that has no answer yet; see `meet`. */
  create(job: NewJob, original: ComparedCall | null): Promise<void>
  /** What the job was that a sample is to be compared with; null when its record is gone. */
  original(id: string): Promise<ComparedCall | null>
  /**
   * Keeps one side of a comparison with the sample, and answers the other side, for the second to come to
   * compare. Null when the other side is not known yet, or the sample is gone.
   */
  meet(id: string, which: 'original' | 'mirrored', side: ComparedCall): Promise<ComparedCall | null>
  /**
   * Adds to the counters, once for each sample, and keeps its pair, if there is one, as one of the last
   * `places`.
   */
  tally(
    mirror: Mirror,
    id: string,
    counts: Readonly<Record<string, number>>,
    kept?: { readonly pair: Pair; readonly places: number } | null,
  ): Promise<void>
  /** Lets the record of a sample that has ended go after this time. */
  retire(id: string, retentionMs: number): Promise<void>
  /** `lost`: samples given up since anybody looked, beside those in the stats. */
  read(mirror: Mirror): Promise<{ readonly stats: Stats; readonly waiting: number; readonly lost: number }>
  /** The last pairs that were kept, newest first. */
  pairs(mirror: Mirror, places: number): Promise<readonly Pair[]>
}

/** How long the counters of a mirror that is no longer asked are kept. */
const statsRetentionMs = 30 * 86_400_000

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url)

/** A sample is the first that is done without. */
export const mirrorScripts = {
  reserve: defineScript({ lua: lua('reserve'), keys: 2, whenFull: 'refused' }),
  tally: defineScript({ lua: lua('tally'), keys: 3, whenFull: 'runs' }),
  create: defineScript({ lua: lua('create'), keys: 3, whenFull: 'refused' }),
  meet: defineScript({ lua: lua('meet'), keys: 1, whenFull: 'runs' }),
} as const

/**
 * Samples and what they showed. What is counted lives in a slot of its own, apart from the samples' jobs,
 * which are in shards like all jobs. So a sample takes its place first, then becomes a job, and gives the
 * place back with what it showed: a process that dies in between loses that sample, and its place is free
 * again when the sample's time is over.
 */
export const createMirrorStore = (redis: Redis | Cluster, keys: Keys, now: () => number): MirrorStore => {
  const payloads = createPayloads(redis, keys)
  const run = createScriptRunner(redis)

  const keysOf = ({ route, to }: Mirror) => {
    const words = JSON.stringify([route, to.provider, to.model])
    const name = createHash('sha256').update(words).digest('base64url')
    const keyOf = (what: string) => `${keys.prefix}:{mirror}:${what}:${name}`
    return { open: keyOf('open'), stats: keyOf('stats'), pairs: keyOf('pairs') }
  }

  return {
    reserve: async (mirror, id, givenUpAtMs, places) => {
      const { open, stats } = keysOf(mirror)
      return (
        (await run(mirrorScripts.reserve, [
          open,
          stats,
          id,
          now(),
          givenUpAtMs,
          places,
          statsRetentionMs,
        ])) === 1
      )
    },
    create: async (job, original) => {
      const body = encodeBody(job)
      if (body === true) await payloads.putRequest(job.id, job.body)
      await run(mirrorScripts.create, [
        ...[keys.record(job.id), keys.payload(job.id), keys.schedule(shardOf(job.id))],
        ...[jobDoorbell(job.id, 0, 0), now() + outboxGraceMs, deadlineEntry(job.id), job.expiresAtMs],
        ...[
          body === true ? 'apart' : body,
          ...jobFields(job),
          ...(original ? ['original', JSON.stringify(original)] : []),
        ],
      ])
    },
    original: async id => {
      const text = await redis.hget(keys.record(id), 'original')
      return text === null ? null : (JSON.parse(text) as ComparedCall)
    },
    meet: async (id, which, side) => {
      const other = which === 'original' ? 'mirrored' : 'original'
      const text = await run(mirrorScripts.meet, [keys.record(id), which, JSON.stringify(side), other])
      return typeof text === 'string' ? (JSON.parse(text) as ComparedCall) : null
    },
    tally: async (mirror, id, counts, kept) => {
      const pair = kept ? [JSON.stringify(kept.pair), kept.pair.atMs, kept.places] : ['', 0, 0]
      const { open, stats, pairs } = keysOf(mirror)
      await run(mirrorScripts.tally, [
        ...[open, stats, pairs, id],
        ...pair,
        pairsKeptMs,
        ...Object.entries(counts).flat(),
      ])
    },
    retire: async (id, retentionMs) => {
      const run = await redis.hget(keys.record(id), 'apart')
      const names = [keys.record(id), keys.payload(id), ...(run ? [keys.answer(id, run)] : [])]
      await Promise.all(names.map(key => redis.pexpire(key, retentionMs)))
    },
    read: async mirror => {
      const { open, stats } = keysOf(mirror)
      const [counters, all, lost] = await Promise.all([
        redis.hgetall(stats),
        redis.zcard(open),
        redis.zcount(open, '-inf', now()),
      ])
      return { stats: counters, waiting: all - lost, lost }
    },
    pairs: async (mirror, places) => {
      const { pairs } = keysOf(mirror)
      const since = `(${now() - pairsKeptMs}`
      const texts = await redis.zrevrangebyscore(pairs, '+inf', since, 'LIMIT', 0, places)
      return texts.map(text => JSON.parse(text) as Pair)
    },
  }
}
