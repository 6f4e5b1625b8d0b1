import type { Cluster, Redis } from 'ioredis'
import { type Place, type QueueClass, queueClasses } from '../domain/place.ts'
import type { Keys } from '../redis/keys.ts'
import { definePackedScript, type RunScript } from '../redis/scripts.ts'

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url)
/** What waits in a queue was accepted, so it moves on while Redis is full. */
const packed = { whenFull: 'runs' } as const

export const readyScripts = {
  push: definePackedScript({ ...packed, lua: lua('push') }),
  take: definePackedScript({ ...packed, lua: lua('take') }),
  remove: definePackedScript({ ...packed, lua: lua('remove') }),
} as const

/** A doorbell and where it stands in its queue. */
export interface Entry {
  readonly doorbell: string
  readonly place: Place
}

export interface TakeRequest {
  /** Names what is taken. The same name again is answered with the same doorbells. */
  readonly chunk: string
  /** How many; with 0 nothing is taken, and what silent workers took comes back. */
  readonly most: number
  /** Names the worker that reports its free slots; `''` for none. */
  readonly worker: string
  readonly free: number
  /** Chunks whose jobs are claimed: nothing of them comes back. */
  readonly claimed: readonly string[]
}

export interface Taken {
  readonly doorbells: readonly string[]
  /** How many still wait. */
  readonly waiting: number
  /** The queue is paused, by a tool for BullMQ. */
  readonly paused: boolean
}

/** How many doorbells wait, by class, and how many were ever taken. */
export interface Depth extends Readonly<Record<QueueClass, number>> {
  readonly total: number
  readonly served: number
}

/** What tells a feeder how much a queue can take. */
export interface QueueLook {
  readonly waiting: number
  readonly served: number
  readonly free: number
  /** What waits of each tenant where lines of batches do, in the order in which they were named. */
  readonly ofTenants: readonly number[]
}

/** What waits in a queue, as seen from a place in it. */
export interface Surroundings {
  readonly depth: Depth
  /** Of its class: how many of its tenant wait, and how many tenants. */
  readonly own: number
  readonly tenants: number
  /** How many of its tenant are served before it; null where it does not wait. */
  readonly ahead: number | null
}

/**
 * What waits in each queue, in Redis, in the order in which it is served: see `take.lua`. A doorbell waits (`push`), is held under a chunk
 * (`take`) until its job is claimed, and is gone; or comes back when its worker stays silent.
 */
export interface ReadyList {
  /** How many did not wait yet. */
  push(queue: string, entries: readonly Entry[]): Promise<number>
  take(queue: string, request: TakeRequest): Promise<Taken>
  /** How many waited. */
  remove(queue: string, entries: readonly Entry[]): Promise<number>
  areWaiting(queue: string, entries: readonly Entry[]): Promise<readonly boolean[]>
  depth(queue: string): Promise<Depth>
  /** In one round trip. Without a doorbell, as one that comes to this place sees it. */
  around(queue: string, place: Place, doorbell?: string): Promise<Surroundings>
  /** Free slots of its workers that have reported of late. */
  freeSlots(queue: string): Promise<number>
  look(queue: string, tenants: readonly string[]): Promise<QueueLook>
  /** Who is served next of each class and tenant, as far as a class has few tenants. */
  heads(queue: string): Promise<readonly string[]>
  /** What waits, by class and tenant, each in the order of its service. */
  page(queue: string, from: number, limit: number): Promise<readonly Entry[]>
}

/** What a worker took and did not claim comes back after this. A claim is a round trip. */
export const chunkLeaseMs = 5_000
/** A worker that is idle reports once a second. */
const reportLifeMs = 5_000
/** One that has been silent for this long has ended: a worker that starts has a new name. */
const forgottenAfterMs = 3_600_000

/** The shares of tenants of the calls of a class while they wait; 1 where absent. */
export type TenantWeights = ReadonlyMap<string, number>

/** Of a class, whose heads are looked at: those that were served least. */
const mostTenants = 10

/** Where the lines of batches wait: those of urgent ones in the second. */
const classesOfLines = ['bulk', 'default'] as const

const textOf = ({ doorbell, place }: Entry): string => `${doorbell} ${place.tokens}`
const doorbellOf = (text: string): string => text.slice(0, text.indexOf(' '))

export const createReadyList = (
  redis: Redis | Cluster,
  run: RunScript,
  keys: Keys,
  weights: TenantWeights = new Map(),
): ReadyList => {
  const weightList = [...weights].flat()
  const entriesKey = (queue: string, queueClass: QueueClass, tenant: string): string =>
    `${keys.ready(queue)}:${queueClass}:${tenant}`

  const groupsOf = (entries: readonly Entry[]) =>
    [...Map.groupBy(entries, ({ place }) => `${place.class} ${place.tenant}`).values()].map(group => {
      const { class: queueClass, tenant } = group[0]!.place
      return [queueClass, tenant, group.flatMap(entry => [entry.place.dueMs, textOf(entry)])]
    })

  const depthFields = [...queueClasses.map(name => `waiting:${name}`), 'served']
  const depthOf = (found: readonly (string | null)[]): Depth => {
    const [interactive, normal, bulk, served] = found.map(Number) as [number, number, number, number]
    return { interactive, default: normal, bulk, total: interactive + normal + bulk, served }
  }

  const freeSlots = async (queue: string): Promise<number> => {
    const key = `${keys.ready(queue)}:room`
    const [reports, [seconds]] = await Promise.all([redis.hgetall(key), redis.time()])
    const nowMs = Number(seconds) * 1_000
    const silent: string[] = []
    let sum = 0
    for (const [worker, report] of Object.entries(reports)) {
      const [free, atMs] = report.split(' ').map(Number) as [number, number]
      if (atMs >= nowMs - reportLifeMs) sum += Math.max(0, free)
      else if (atMs < nowMs - forgottenAfterMs) silent.push(worker)
    }
    if (silent.length > 0) await redis.hdel(key, ...silent)
    return sum
  }

  return {
    push: async (queue, entries) => {
      const [added] = (await run.packed(readyScripts.push, keys.ready(queue), groupsOf(entries))) as [number]
      return added
    },
    take: async (queue, { chunk, most, worker, free, claimed }) => {
      const words = [chunk, most, worker, free, chunkLeaseMs, weightList, claimed]
      const [waiting, paused, ...texts] = (await run.packed(readyScripts.take, keys.ready(queue), words)) as [
        number,
        number,
        ...string[],
      ]
      return { waiting, paused: paused === 1, doorbells: texts.map(doorbellOf) }
    },
    remove: async (queue, entries) => {
      const words = entries.map(entry => [entry.place.class, entry.place.tenant, textOf(entry)])
      const [removed] = (await run.packed(readyScripts.remove, keys.ready(queue), words)) as [number]
      return removed
    },
    areWaiting: async (queue, entries) => {
      const byKey = Map.groupBy(entries, ({ place }) => entriesKey(queue, place.class, place.tenant))
      const waiting = new Set<Entry>()
      await Promise.all(
        [...byKey].map(async ([key, group]) => {
          const dues = await redis.zmscore(key, group.map(textOf))
          for (const [i, entry] of group.entries()) if (dues[i] !== null) waiting.add(entry)
        }),
      )
      return entries.map(entry => waiting.has(entry))
    },
    depth: async queue => depthOf(await redis.hmget(keys.ready(queue), ...depthFields)),
    around: async (queue, place, doorbell = '') => {
      const entries = entriesKey(queue, place.class, place.tenant)
      const [fields, own, tenants, ahead] = await Promise.all([
        redis.hmget(keys.ready(queue), ...depthFields),
        redis.zcard(entries),
        redis.zcard(`${keys.ready(queue)}:${place.class}`),
        redis.zrank(entries, textOf({ doorbell, place })),
      ])
      return { depth: depthOf(fields), own, tenants, ahead }
    },
    freeSlots,
    look: async (queue, tenants) => {
      const [fields, free, ...counts] = await Promise.all([
        redis.hmget(keys.ready(queue), ...depthFields),
        freeSlots(queue),
        ...classesOfLines.flatMap(name =>
          tenants.map(tenant => redis.zcard(entriesKey(queue, name, tenant))),
        ),
      ])
      const { total, served } = depthOf(fields)
      const ofTenants = tenants.map((_, i) => counts[i]! + counts[i + tenants.length]!)
      return { waiting: total, served, free, ofTenants }
    },
    heads: async queue => {
      const perClass = await Promise.all(
        queueClasses.map(name => redis.zrange(`${keys.ready(queue)}:${name}`, '0', String(mostTenants - 1))),
      )
      const heads = perClass.flatMap((tenants, i) =>
        tenants.map(tenant => redis.zrange(entriesKey(queue, queueClasses[i]!, tenant), '0', '0')),
      )
      return (await Promise.all(heads)).flat().map(doorbellOf)
    },
    page: async (queue, from, limit) => {
      const found: Entry[] = []
      let skip = from
      for (const queueClass of queueClasses) {
        for (const tenant of (
          await redis.zrange(`${keys.ready(queue)}:${queueClass}`, '0', '-1')
        ).toSorted()) {
          const key = entriesKey(queue, queueClass, tenant)
          const texts = await redis.zrange(
            key,
            String(skip),
            String(skip + limit - found.length - 1),
            'WITHSCORES',
          )
          for (let i = 0; i < texts.length; i += 2) {
            const [text, due] = [texts[i]!, texts[i + 1]!]
            const tokens = Number(text.slice(doorbellOf(text).length))
            const place = { tenant, class: queueClass, dueMs: Number(due), tokens }
            found.push({ doorbell: doorbellOf(text), place })
          }
          if (found.length >= limit) return found
          skip = texts.length > 0 ? 0 : skip - (await redis.zcard(key))
        }
      }
      return found
    },
  }
}
