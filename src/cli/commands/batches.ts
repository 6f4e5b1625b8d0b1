import type { BatchView } from '../../batches/view.ts'
import { renderTable, renderTime } from '../../terminal/format.ts'
import { type Paint, paintStatus } from '../../terminal/paint.ts'
import { describeBlocked, describeFaults, doneOf } from '../batch-text.ts'
import { type CommandIo, renderJson } from '../command-io.ts'
import { checkPlaces, followBatches, type Places } from '../follow-batches.ts'
import { type SessionOptions, withSession } from '../session.ts'
import { nameBatches } from '../submission/name-batches.ts'
import { type WatchOptions, watching } from '../watching.ts'

export const listBatches = (
  options: SessionOptions & WatchOptions & { readonly limit: string },
  terminal: CommandIo,
): Promise<number> =>
  withSession(terminal, options, session =>
    watching(session, options, async () => {
      const { data: list } = await session.batches.page(Number(options.limit))
      if (options.json) return renderJson(list)
      if (list.length === 0) return 'There are no batches.'
      const heads = ['BATCH', 'STATUS', 'DONE', 'FAILED', 'CREATED']
      return renderTable([heads, ...list.map(batch => row(batch, session.paint))])
    }),
  )

/** What can be done to batches at once, and shows what they then are. */
export const actOnBatches = (
  action: 'read' | 'cancel' | 'retry',
  words: readonly string[],
  options: SessionOptions,
  terminal: CommandIo,
): Promise<number> =>
  withSession(terminal, options, async ({ batches, out, paint }) => {
    const { ids } = await nameBatches(batches, words, { wholly: false })
    const done: BatchView[] = []
    for (const id of ids) {
      const batch = await batches[action](id)
      done.push(batch)
      if (!options.json) out(describe(batch, paint))
    }
    if (options.json) out(renderJson(done.length === 1 ? done[0] : done))
    return 0
  })

export const waitForBatches = (
  words: readonly string[],
  options: SessionOptions & Places,
  terminal: CommandIo,
): Promise<number> =>
  withSession(terminal, options, async session => {
    await checkPlaces(session, options)
    const followed = await nameBatches(session.batches, words, { wholly: true })
    // The first request does not retry: a wrong address or id should be reported at once.
    for (const id of followed.ids) await session.batches.read(id)
    return followBatches(session, followed, options)
  })

const row = (batch: BatchView, paint: Paint): string[] => [
  batch.id,
  paintStatus(paint, batch.status) + (batch.blocked === null ? '' : paint('bad', ', blocked')),
  `${doneOf(batch)}/${batch.request_counts.total}`,
  String(batch.request_counts.failed),
  renderTime(batch.created_at),
]

const describe = (batch: BatchView, paint: Paint): string => {
  const { completed, failed, total } = batch.request_counts
  const rows: [string, string | null][] = [
    ['status', paintStatus(paint, batch.status)],
    ['blocked', describeBlocked(batch)],
    ['lines', `${total}: ${completed} answered, ${failed} failed`],
    ...Object.entries(batch.providers).map(([name, lines]): [string, string] => [
      `  by ${name}`,
      String(lines),
    ]),
    ['endpoint', batch.endpoint],
    ['created', renderTime(batch.created_at)],
    ['expires', renderTime(batch.expires_at)],
    ['cost', batch.cost_usd === null ? null : `$${batch.cost_usd}`],
    ['cost at most', batch.max_cost_usd === null ? null : `$${batch.max_cost_usd}`],
    ['input file', batch.input_file_id],
    ['output file', batch.output_file_id],
    ['error file', batch.error_file_id],
    ['retry of', batch.retry_of],
    ...Object.entries(batch.metadata ?? {}).map(([key, value]): [string, string] => [
      `metadata ${key}`,
      value,
    ]),
    ['webhook', batch.webhook && `${batch.webhook.url}: ${batch.webhook.status}`],
  ]
  const table = renderTable(rows.flatMap(([label, text]) => (text === null ? [] : [[`  ${label}`, text]])))
  return `${batch.id}\n${table}${batch.status === 'failed' ? `\n${describeFaults(batch.errors?.data ?? [])}` : ''}`
}
