import { type BatchRecord, hasEnded } from '../../batches/record.ts'
import { isTerminal } from '../../domain/job.ts'
import { writeJson } from '../../json/json-text.ts'
import { jobRow } from '../jobs/job-rows.ts'
import type { ReadOperatorView } from '../jobs/operator-view.ts'
import type { ApiParts } from '../parts.ts'
import { batchRow, operatorBatchView } from './batch-rows.ts'
import { itemOf, type PageItem } from './page-items.ts'
import type { PageTopics } from './page-topics.ts'
import { readReceivers } from './receivers.ts'

type FollowParts = Pick<
  ApiParts,
  'allBatches' | 'batches' | 'deadLetters' | 'now' | 'receiverTallies' | 'schedule' | 'store'
>

/** Reads what these pages follow, beside that which all pages do. `open`: the batches that have not ended. */
export type ReadFollowed = (
  topics: readonly PageTopics[],
  open: readonly BatchRecord[],
) => Promise<readonly PageItem[]>

/** Pages share what was read so short a time ago. Batches change little in a second, and cost a script each. */
const freshJobMs = 500
const freshBatchMs = 1_500
/** They are found among up to 2,000 records. */
const freshReceiversMs = 5_000
/** Of so many open batches it is looked up what is done with their lines. */
const mostLooked = 200
/** Pages that are slow hear of a batch that has ended so long. */
const endedShownMs = 60_000
/** Rows of jobs at their end that are kept, about 400 bytes each. */
const mostEnded = 5_000

export const createFollowedReads = (parts: FollowParts, operatorView: ReadOperatorView): ReadFollowed => {
  const { allBatches, batches, store, now } = parts
  const share = createShare(now)
  const openBefore = new Set<string>()
  const endedOf = new Map<string, { readonly item: PageItem; readonly atMs: number }>()

  const readBatch = async (id: string): Promise<PageItem[]> => {
    const record = await batches.read(id)
    // The key of a record has no kind: another kind's word for the same batch names none.
    const batch = record?.id === id ? record : null
    const view = batch && operatorBatchView(batch, await allBatches.linesOf(batch))
    return [itemOf('batch', `batch ${id}`, view, topics => topics.batch === id)]
  }

  const readJob = async (id: string): Promise<PageItem[]> => {
    const [record = null] = await store.readHeads([id])
    return [itemOf('job', `job ${id}`, record && (await operatorView(record)), topics => topics.job === id)]
  }

  const rowOfBatch = async (batch: BatchRecord, isLooked: boolean): Promise<PageItem> => {
    const row = batchRow(batch, isLooked ? await allBatches.linesOf(batch) : null)
    return itemOf('batches', `row ${batch.id}`, row, topics => topics.hasBatches)
  }

  const noteEnded = async (open: readonly BatchRecord[]): Promise<void> => {
    const ids = new Set(open.map(({ id }) => id))
    const left = [...openBefore].filter(id => !ids.has(id))
    for (const record of await Promise.all(left.map(batches.read)))
      if (record !== null && hasEnded(record.status))
        endedOf.set(record.id, { item: await rowOfBatch(record, true), atMs: now() })
    openBefore.clear()
    for (const id of ids) openBefore.add(id)
    for (const [id, { atMs }] of endedOf) if (now() - atMs > endedShownMs) endedOf.delete(id)
  }

  const readBatches = async (open: readonly BatchRecord[]): Promise<PageItem[]> => {
    await noteEnded(open)
    const rows = await Promise.all(open.map((batch, i) => rowOfBatch(batch, i < mostLooked)))
    return [...rows, ...[...endedOf.values()].map(({ item }) => item)]
  }

  const readWebhooks = async (): Promise<PageItem[]> => {
    const { read_at, ...figures } = await readReceivers(parts)
    const item = itemOf('webhooks', 'webhooks', { ...figures, read_at }, topics => topics.hasWebhooks)
    return [{ ...item, text: writeJson(figures) }]
  }

  const rows = createRows(store)

  return async (topics, open) => {
    const jobs = new Set(topics.flatMap(({ job }) => job ?? []))
    const ofBatch = new Set(topics.flatMap(({ batch }) => batch ?? []))
    const listed = new Set(topics.flatMap(each => [...each.rows]))
    const hasBatches = topics.some(each => each.hasBatches)
    const found = await Promise.all([
      ...[...jobs].map(id => share(`job ${id}`, freshJobMs, () => readJob(id))),
      ...[...ofBatch].map(id => share(`batch ${id}`, freshBatchMs, () => readBatch(id))),
      ...(hasBatches ? [share('batches', freshBatchMs, () => readBatches(open))] : []),
      ...(topics.some(each => each.hasWebhooks) ? [share('webhooks', freshReceiversMs, readWebhooks)] : []),
      ...(listed.size > 0 ? [rows([...listed])] : []),
    ])
    return found.flat()
  }
}

interface Shared {
  readonly untilMs: number
  readonly items: Promise<readonly PageItem[]>
}

/** However many pages ask for something, it is read once in `freshMs`. */
const createShare = (now: () => number) => {
  const shared = new Map<string, Shared>()
  return (
    name: string,
    freshMs: number,
    read: () => Promise<readonly PageItem[]>,
  ): Promise<readonly PageItem[]> => {
    for (const [other, { untilMs }] of shared) if (untilMs <= now()) shared.delete(other)
    const known = shared.get(name)
    if (known !== undefined) return known.items
    const items = read()
    shared.set(name, { untilMs: now() + freshMs, items })
    return items
  }
}

/** Rows of jobs. One that has ended stays as it is, and is not read again. */
const createRows = (store: FollowParts['store']) => {
  const ended = new Map<string, PageItem>()
  return async (ids: readonly string[]): Promise<readonly PageItem[]> => {
    if (ended.size > mostEnded) ended.clear()
    const known = ids.flatMap(id => ended.get(id) ?? [])
    const records = await store.readHeads(ids.filter(id => !ended.has(id)))
    const read = records.flatMap(record => {
      if (record === null) return []
      const { id } = record
      const item = itemOf('rows', `job row ${id}`, jobRow(record), topics => topics.rows.has(id))
      if (isTerminal(record.status)) ended.set(id, item)
      return [item]
    })
    return [...known, ...read]
  }
}
