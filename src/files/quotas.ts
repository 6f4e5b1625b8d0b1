import type { Cluster, Redis } from 'ioredis'
import { type Keys, timeOf, ulidOf } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import { quotaScripts } from './scripts.ts'

/** How much a tenant may have at a time. */
export interface Quota {
  readonly files: number
  /**
   * The bytes of files, of uploads from their announcement on, and of the documents of running message
   * batches.
   */
  readonly bytes: number
  readonly openBatches: number
}

/**
 * What tenants keep. Each file and open batch is counted by its name, so nothing is counted or given back
 * twice. What is still counted although it is gone, because a process died in between, is found when the
 * quota seems used up.
 */
export interface Quotas {
  /** Counts it, or counts it anew. `files` is 0 for bytes that no client sees as a file. */
  hold(tenant: string, fileId: string, files: 0 | 1, bytes: number): Promise<'held' | 'files' | 'bytes'>
  free(tenant: string, fileId: string): Promise<void>
  /** Whether one more batch may be open; counts it. */
  admit(tenant: string, batchId: string): Promise<boolean>
  ended(tenant: string, batchId: string): Promise<void>
  of(tenant: string): Quota
}

export interface QuotaOptions {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  readonly quotaOf: (tenant: string) => Quota
  readonly now: () => number
}

/** A batch is counted before it is there. */
const patienceMs = 60_000
/** Records looked at together. */
const chunk = 500

export const freeQuota = async (run: RunScript, keys: Keys, tenant: string, id: string): Promise<void> => {
  await run(quotaScripts.free, [keys.held(tenant), keys.heldSums(tenant), ulidOf(id)])
}

export const createQuotas = ({ redis, run, keys, quotaOf, now }: QuotaOptions): Quotas => {
  /** The names of which `isGone` says, from what their keys hold, that they are gone. */
  const gone = async (
    names: readonly string[],
    ask: (name: string) => Promise<boolean>,
  ): Promise<readonly string[]> => {
    const found: string[] = []
    for (let at = 0; at < names.length; at += chunk) {
      const some = names.slice(at, at + chunk)
      const answers = await Promise.all(some.map(ask))
      found.push(...some.filter((_, i) => answers[i]))
    }
    return found
  }

  const recount = async (tenant: string): Promise<void> => {
    const cores = await redis.hkeys(keys.held(tenant))
    const isGone = async (core: string): Promise<boolean> => {
      const names = [keys.file(`file-${core}`), keys.upload(`upload_${core}`)]
      const there = await Promise.all(names.map(name => redis.exists(name)))
      return there.every(count => count === 0)
    }
    for (const core of await gone(cores, isGone)) await freeQuota(run, keys, tenant, `file-${core}`)
  }

  const recountBatches = async (tenant: string): Promise<void> => {
    const hasEnded = async (id: string): Promise<boolean> => {
      const [status, endedAt] = await redis.hmget(keys.batch(id), 'status', 'ended_at')
      return endedAt !== null || (status === null && timeOf(id) + patienceMs < now())
    }
    const ended = await gone(await redis.smembers(keys.openOf(tenant)), hasEnded)
    if (ended.length > 0) await redis.srem(keys.openOf(tenant), ...ended)
  }

  return {
    of: quotaOf,
    hold: async (tenant, fileId, files, bytes) => {
      const most = quotaOf(tenant)
      const names = [keys.held(tenant), keys.heldSums(tenant), ulidOf(fileId)]
      const hold = () => run(quotaScripts.hold, [...names, files, bytes, most.files, most.bytes])
      let reply = await hold()
      if (reply !== 'held') {
        await recount(tenant)
        reply = await hold()
      }
      return reply as 'held' | 'files' | 'bytes'
    },
    free: (tenant, fileId) => freeQuota(run, keys, tenant, fileId),
    admit: async (tenant, batchId) => {
      const admit = () => run(quotaScripts.admit, [keys.openOf(tenant), batchId, quotaOf(tenant).openBatches])
      if ((await admit()) === 1) return true
      await recountBatches(tenant)
      return (await admit()) === 1
    },
    ended: async (tenant, batchId) => {
      await redis.srem(keys.openOf(tenant), batchId)
    },
  }
}
