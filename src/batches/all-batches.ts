import type { Cluster, Redis } from 'ioredis'
import type { Dialect } from '../domain/endpoint.ts'
import { batchJobId, type Keys, ulidOf } from '../redis/keys.ts'
import type { RunScript } from '../redis/scripts.ts'
import { createBatchIndex } from './listing.ts'
import { type BatchRecord, hasEnded } from './record.ts'
import { batchScripts } from './scripts.ts'
import type { BatchStore } from './store.ts'

/** Batches of all tenants and both kinds of clients, for operators. */
export interface AllBatches {
  page(query: AllBatchesQuery): Promise<AllBatchesPage>
  linesOf(batch: BatchRecord): Promise<LineStates | null>
}

export interface AllBatchesQuery {
  /** Only of this tenant. */
  readonly tenant?: string | undefined
  readonly dialect?: Dialect | undefined
  /** Only those that have not ended. */
  readonly isOpen: boolean
  readonly matches: (batch: BatchRecord) => boolean
  /** `slack`: those that have not ended, blocked ones first, then by what is left between the estimate and the deadline. */
  readonly sort: 'created' | 'slack'
  /** The id of a batch, behind which the page begins. It need not be there any more. */
  readonly after?: string | undefined
  readonly limit: number
}

export interface AllBatchesPage {
  readonly batches: readonly BatchRecord[]
  /** Where the next page begins; null at the end. A page may be short where little matches. */
  readonly nextCursor: string | null
}

/** What is done with the lines of a batch that are in no output file yet. Of many they are estimated by a sample. */
export interface LineStates {
  readonly waiting: number
  readonly running: number
  readonly parked: number
}

interface AllBatchesDeps {
  readonly redis: Redis | Cluster
  readonly run: RunScript
  readonly keys: Keys
  readonly batches: Pick<BatchStore, 'listOpen' | 'read'>
  /** Those of the config. Others that have made a batch are known to Redis. */
  readonly tenants: readonly string[]
}

/** Records that one request reads at most: a filter that matches little must not read the whole index. */
const maxScanned = 1_000
/** Looked at of a batch's open lines; of more, every second, third … is, so that one script never holds Redis up. */
const sampleSize = 200

const idPrefixes: Readonly<Record<Dialect, string>> = { openai: 'batch_', anthropic: 'msgbatch_' }
const dialects = ['openai', 'anthropic'] as const

const newestFirst = (a: string, b: string): number => (ulidOf(a) < ulidOf(b) ? 1 : -1)

export const createAllBatches = ({ redis, run, keys, batches, tenants }: AllBatchesDeps): AllBatches => {
  const index = createBatchIndex(redis, keys)

  const next = async ({ tenant, dialect }: AllBatchesQuery, after: string | undefined, limit: number) => {
    const known = tenant === undefined ? await index.tenants() : [tenant]
    const of = tenant === undefined ? [...new Set([...tenants, ...known])] : known
    const lists = of.flatMap(name =>
      (dialect === undefined ? dialects : [dialect]).map(each => {
        const place = after === undefined ? undefined : idPrefixes[each] + ulidOf(after)
        return index.next(name, each, { after: place, limit })
      }),
    )
    return (await Promise.all(lists)).flat().sort(newestFirst).slice(0, limit)
  }

  const byCreation = async (query: AllBatchesQuery): Promise<AllBatchesPage> => {
    const found: BatchRecord[] = []
    let place = query.after
    for (let scanned = 0; scanned < maxScanned; ) {
      const ids = await next(query, place, query.limit + 1)
      const records = await Promise.all(ids.map(batches.read))
      for (const [i, record] of records.entries()) {
        if (found.length === query.limit) return { batches: found, nextCursor: place! }
        if (record !== null && query.matches(record)) found.push(record)
        place = ids[i]!
      }
      if (ids.length <= query.limit) return { batches: found, nextCursor: null }
      scanned += ids.length
    }
    return { batches: found, nextCursor: place! }
  }

  const ofOpen = async (query: AllBatchesQuery): Promise<AllBatchesPage> => {
    const { tenant, dialect, sort, after, limit } = query
    const order = sort === 'slack' ? bySlack : (a: BatchRecord, b: BatchRecord) => newestFirst(a.id, b.id)
    const open = (await batches.listOpen(tenant))
      .filter(batch => (dialect === undefined || batch.dialect === dialect) && query.matches(batch))
      .sort(order)
    const from = after === undefined ? 0 : await placeAfter(open, order, after)
    const page = open.slice(from, from + limit)
    return { batches: page, nextCursor: from + limit < open.length ? page.at(-1)!.id : null }
  }

  /** Where the list goes on behind a batch that may have left it. */
  const placeAfter = async (
    list: readonly BatchRecord[],
    order: (a: BatchRecord, b: BatchRecord) => number,
    id: string,
  ): Promise<number> => {
    const last = await batches.read(id)
    if (last === null) return list.length
    const at = list.findIndex(batch => batch.id !== id && order(batch, last) > 0)
    return at === -1 ? list.length : at
  }

  return {
    page: query => (query.isOpen || query.sort === 'slack' ? ofOpen(query) : byCreation(query)),
    linesOf: async batch => {
      if (hasEnded(batch.status)) return { waiting: 0, running: 0, parked: 0 }
      if (batch.total === null) return null
      const { lowWatermark, fed } = batch.cursor
      const stride = Math.max(1, Math.ceil((fed - lowWatermark) / sampleSize))
      const ids: string[] = []
      for (let number = lowWatermark + 1; number <= fed; number += stride)
        ids.push(batchJobId(batch.id, number))
      const reply = await run.packed(batchScripts.lineStates, keys.batch(batch.id), ids)
      const [, inRun, inPark, ended] = reply as [number, number, number, number]
      const left = Math.max(0, batch.total - batch.collected - ended)
      const running = Math.min(left, inRun * stride)
      const parked = Math.min(left - running, inPark * stride)
      return { waiting: left - running - parked, running, parked }
    },
  }
}

/** What is left between when it is likely to be done and its deadline, in ms; none is known without an estimate. */
const slackOf = ({ expiresAtMs, estimateMs }: BatchRecord): number =>
  estimateMs === null ? Number.MAX_SAFE_INTEGER : expiresAtMs - estimateMs

const bySlack = (a: BatchRecord, b: BatchRecord): number =>
  Number(b.blocked !== null) - Number(a.blocked !== null) ||
  (a.blocked !== null && b.blocked !== null && a.blocked.sinceMs - b.blocked.sinceMs) ||
  slackOf(a) - slackOf(b) ||
  newestFirst(a.id, b.id)
