import { Cluster, type Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { createRepeating } from '../lifecycle/repeating.ts'
import { parseInfo } from './preflight.ts'

export interface MemoryFigures {
  /** As Redis counts them against its limit; of a Cluster, those of the master that is nearest to its own. */
  readonly usedBytes: number
  /** `maxmemory`; 0 for none. */
  readonly limitBytes: number
}

/** How near Redis is to its `maxmemory`, as of half a second ago. */
export interface MemoryWatch {
  /** Whether nothing new is to be made: what is left is for ending what was accepted. */
  isFull(): boolean
  figures(): MemoryFigures
}

export interface MemoryWatchOptions {
  readonly redis: Redis | Cluster
  /** Of `maxmemory`, 0 to 1, from which on nothing new is made. */
  readonly fullAt: number
  readonly log: Logger
}

const lookMs = 500
/**
 * Redis counts as full until this share of `fullAt` is free, so that the state does not change with each job.
 */
const slack = 0.03

/** Looks until the process stops. */
export const openMemoryWatch = async (
  life: Lifecycle,
  { redis, fullAt, log }: MemoryWatchOptions,
): Promise<MemoryWatch> => {
  let figures: MemoryFigures = { usedBytes: 0, limitBytes: 0 }
  let full = false

  const look = async (): Promise<void> => {
    const masters = mastersOf(redis)
    // On a connection that is not yet ready, INFO leaves at once, and ioredis forgets it when the connection
    // breaks: it would never settle. In every other state it waits its turn; a node of a Cluster connects by
    // it.
    if (masters.some(({ status }) => status === 'connect')) return
    figures = (await readMemoryFigures(redis)) ?? figures
    const share = shareOf(figures)
    const was = full
    full = share >= fullAt * (full ? 1 - slack : 1)
    if (full === was) return
    const facts = { ...figures, fullAt }
    if (full) log.warn({ event: 'redis.full', ...facts }, 'redis is nearly full: nothing new is accepted')
    else log.info({ event: 'redis.freed', ...facts }, 'redis has room again')
  }

  const looking = createRepeating('memory watch', lookMs, look, log)
  await life.open(
    'memory watch',
    () => looking.start(),
    () => looking.stop(),
  )
  return { isFull: () => full, figures: () => figures }
}

const mastersOf = (redis: Redis | Cluster): readonly Redis[] =>
  redis instanceof Cluster ? redis.nodes('master') : [redis]

/** Those of the master that is nearest to its limit; null where a Cluster has none now. */
export const readMemoryFigures = async (redis: Redis | Cluster): Promise<MemoryFigures | null> => {
  const all = await Promise.all(mastersOf(redis).map(readMemory))
  return all.toSorted((a, b) => shareOf(b) - shareOf(a))[0] ?? null
}

const shareOf = ({ usedBytes, limitBytes }: MemoryFigures): number =>
  limitBytes === 0 ? 0 : usedBytes / limitBytes

/** What Redis keeps for replicas and its log it does not count against the limit. */
const readMemory = async (redis: Redis): Promise<MemoryFigures> => {
  const info = parseInfo(await redis.info('memory'))
  const numberOf = (name: string): number => Number(info.get(name) ?? 0)
  return {
    usedBytes: numberOf('used_memory') - numberOf('mem_not_counted_for_evict'),
    limitBytes: numberOf('maxmemory'),
  }
}
