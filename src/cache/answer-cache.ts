import { createHash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import type { Target } from '../domain/job.ts'
import { type Keys, shardCount } from '../redis/keys.ts'
import { createScriptRunner, defineScript, type Script } from '../redis/scripts.ts'

/** The answer to a request, and who gave it. */
export interface KeptAnswer {
  readonly statusCode: number
  readonly body: string
  readonly target: Target
}

/** How a stream comes to its client: with a chunk that tells what was used, or without. Readers of one form share a stream. */
export type StreamForm = 'usage' | 'plain'

/** The stream of a leader's answer, as one run of its job has it. */
export interface LeadStream {
  readonly jobId: string
  readonly run: string
  readonly form: StreamForm
}

/**
 * `follow`: another job makes the call, and leads for another `forMs`; its answer streams already, or null.
 * `alone`: call, without regard to others.
 */
export type Entered =
  | { readonly kind: 'hit'; readonly answer: KeptAnswer }
  | { readonly kind: 'follow'; readonly forMs: number; readonly stream: LeadStream | null }
  | { readonly kind: 'lead' | 'alone' }

/** Of a follower that streams: which form it may read, and the run that it cannot read ('' for none). */
export interface FollowedStream {
  readonly form: StreamForm
  readonly exceptRun: string
}

/** How a route's answers are kept. */
export interface CacheTerms {
  readonly route: string
  readonly ttlMs: number
  /** Bytes of all its answers together. */
  readonly maxTotalBytes: number
}

/**
 * Answers and leads in Redis, by the key of a request. Each call that ends a lead returns the doorbells of
 * the jobs that followed it, for the caller to ring. If the reply is lost, they wait out the leader's lease
 * and then wake unasked.
 */
export interface AnswerCache {
  enter(key: string, jobId: string): Promise<Entered>
  /** False when no leader is left that would wake the job, or there is something for it now. */
  follow(key: string, jobId: string, doorbell: string, reads?: FollowedStream): Promise<boolean>
  /** The leader's answer streams. Returns the doorbells of followers that may read along, for the caller to ring. */
  leadStreams(key: string, stream: LeadStream): Promise<readonly string[]>
  /** Doorbells of some that follow this request's leader; they may have ended meanwhile. */
  someFollowers(key: string): Promise<readonly string[]>
  renewLead(key: string, jobId: string): Promise<void>
  /** `mayRecur`: another's call may well end likewise. */
  endLead(key: string, jobId: string, mayRecur: boolean): Promise<readonly string[]>
  put(key: string, jobId: string, room: CacheTerms, answer: KeptAnswer): Promise<readonly string[]>
}

export interface AnswerCacheOptions {
  readonly redis: Redis | Cluster
  readonly keys: Pick<Keys, 'prefix'>
  /** How long a silent leader keeps the lead. */
  readonly leaseMs: number
  readonly now: () => number
}

/** After this many leaders without an answer within a lease, jobs no longer follow but call alone. */
const failuresToPart = 2

/** How many followers are read at most: there may be thousands. */
const sampleSize = 16

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url)

/** Leads are small and gone within seconds; an answer that cannot be kept is asked for again. */
const runs = { keys: 6, whenFull: 'runs' } as const

export const cacheScripts = {
  enter: defineScript({ ...runs, lua: lua('enter') }),
  follow: defineScript({ ...runs, lua: lua('follow') }),
  streamLead: defineScript({ ...runs, lua: lua('stream-lead') }),
  keepLead: defineScript({ ...runs, lua: lua('keep-lead') }),
  endLead: defineScript({ ...runs, lua: lua('end-lead') }),
  put: defineScript({ ...runs, lua: lua('put'), whenFull: 'refused' }),
} as const

const leadStreamOf = (lead: string): LeadStream | null => {
  const [jobId, run, form] = lead.split(' ')
  return run === undefined ? null : { jobId: jobId!, run, form: form as StreamForm }
}

/** The body comes after the JSON, so that it is not escaped. */
const format = ({ statusCode, target, body }: KeptAnswer): string =>
  `${JSON.stringify([statusCode, target.provider, target.model])}\n${body}`

const parse = (text: string): KeptAnswer => {
  const end = text.indexOf('\n')
  const [statusCode, provider, model] = JSON.parse(text.slice(0, end)) as [number, string, string]
  return { statusCode, target: { provider, model }, body: text.slice(end + 1) }
}

/**
 * Requests are spread over as many slots as jobs are, by their own key: one slot a request would leave no sum
 * of sizes.
 */
const shardOfKey = (key: string): number => Buffer.from(key.slice(0, 4), 'base64url')[0]! % shardCount

export const createAnswerCache = ({ redis, keys, leaseMs, now }: AnswerCacheOptions): AnswerCache => {
  const runScript = createScriptRunner(redis)

  const baseOf = (key: string): string => `${keys.prefix}:{${shardOfKey(key)}}:c`

  const run = (
    script: Script,
    key: string,
    route: string,
    ...args: (string | number)[]
  ): Promise<unknown> => {
    const base = baseOf(key)
    return runScript(script, [
      ...['a', 'l', 'f', 'n'].map(kind => `${base}${kind}:${key}`),
      ...[`${base}i:${route}`, `${base}s:${route}`],
      ...args,
    ])
  }

  return {
    enter: async (key, jobId) => {
      const entered = await run(cacheScripts.enter, key, '', jobId, leaseMs, failuresToPart)
      const [kind, detail, lead] = entered as [string, unknown, string]
      if (kind === 'hit') return { kind, answer: parse(detail as string) }
      if (kind === 'follow') return { kind, forMs: detail as number, stream: leadStreamOf(lead) }
      return { kind: kind as 'lead' | 'alone' }
    },
    // Twice a lease: by then a follower has woken and looked on its own.
    follow: async (key, jobId, doorbell, reads) => {
      const stream = [reads?.form ?? '', reads?.exceptRun ?? '']
      return (await run(cacheScripts.follow, key, '', jobId, doorbell, 2 * leaseMs, ...stream)) === 1
    },
    leadStreams: async (key, { jobId, run: name, form }) =>
      (await run(cacheScripts.streamLead, key, '', jobId, name, form)) as string[],
    someFollowers: async key => {
      const followers = `${baseOf(key)}f:${key}`
      const namesAndDoorbells = (await redis.hrandfield(followers, sampleSize, 'WITHVALUES')) as string[]
      return namesAndDoorbells.filter((_, i) => i % 2 === 1).map(value => value.split(' ')[0]!)
    },
    renewLead: async (key, jobId) => {
      await run(cacheScripts.keepLead, key, '', jobId, leaseMs)
    },
    endLead: async (key, jobId, mayRecur) =>
      (await run(cacheScripts.endLead, key, '', jobId, mayRecur ? 1 : 0, leaseMs)) as string[],
    put: async (key, jobId, { route, ttlMs, maxTotalBytes }, answer) => {
      const name = createHash('sha256').update(route).digest('base64url')
      const room = Math.floor(maxTotalBytes / shardCount)
      return (await run(
        cacheScripts.put,
        key,
        name,
        jobId,
        key,
        format(answer),
        ttlMs,
        now(),
        room,
      )) as string[]
    },
  }
}
