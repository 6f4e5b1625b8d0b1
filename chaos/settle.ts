import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { createKeys, shardCount, ulidOf } from '../src/redis/keys.ts'
import type { Leftover } from './audit/evidence.ts'
import { findLeftovers } from './audit/leftovers.ts'
import { redisPrefix } from './cluster/config.ts'
import type { Ledger } from './load/ledger.ts'
import type { Watch } from './load/watch.ts'

/** The reconciler looks at what has stood still for a minute, and takes as long again to come by everything. */
const patienceMs = 180_000
const roundMs = 500

export interface Settled {
  /** What was still there when patience ended; empty when all had come to its end. */
  readonly leftovers: readonly Leftover[]
  /** Webhooks that waited for minutes to be tried again, and were tried at once instead. */
  readonly broughtForward: number
  readonly tookMs: number
}

/** Waits until every job and batch has ended and nothing is under way any more, as long as that may take. */
export const settle = async (
  redis: Redis,
  ledger: Ledger,
  watch: Watch,
  signal: AbortSignal,
): Promise<Settled> => {
  const startedAt = performance.now()
  const isOver = (): boolean => performance.now() - startedAt > patienceMs
  while (!(watch.sawAllEnd() || isOver())) await delay(roundMs, undefined, { signal })
  let broughtForward = 0
  for (;;) {
    broughtForward += await bringWebhooksForward(redis)
    const leftovers = await findLeftovers(redis, remainsOf(ledger, watch))
    if (leftovers.length === 0 || isOver())
      return { leftovers, broughtForward, tookMs: performance.now() - startedAt }
    await delay(roundMs, undefined, { signal })
  }
}

const remainsOf = (ledger: Ledger, watch: Watch) => ({
  prefix: redisPrefix,
  jobs: new Map(
    ledger.jobs
      .filter(({ id }) => id !== null)
      .map(({ id }) => [id!, watch.statusOf(id!) !== 'succeeded'] as const),
  ),
  batchCores: new Set(ledger.batches.flatMap(({ id }) => (id === null ? [] : [ulidOf(id)]))),
})

const isDelivery = (entry: string): boolean => /\.w\.\d+$/.test(entry)
/** Sooner than that it comes up by itself. */
const soonMs = 10_000

/**
 * A delivery that failed twice waits for 5 min, later for hours: the clock is put on for these, once the faults are over.
 * It is the only thing that the run does to what Baton keeps.
 */
const bringWebhooksForward = async (redis: Redis): Promise<number> => {
  const keys = createKeys(redisPrefix)
  let count = 0
  for (let shard = 0; shard < shardCount; shard++) {
    const key = keys.schedule(shard)
    const late = await redis.zrange(key, String(Date.now() + soonMs), '+inf', 'BYSCORE')
    for (const entry of late.filter(isDelivery)) count += await redis.zadd(key, 'XX', 'CH', Date.now(), entry)
  }
  return count
}
