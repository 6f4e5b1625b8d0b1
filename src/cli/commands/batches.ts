import type { BatchView } from '../../batches/view.ts'
import { renderTable, renderTime } from '../../terminal/format.ts'
import { describeBlocked, describeFaults, doneOf } from '../batch-text.ts'
import { type CommandIo, renderJson } from '../command-io.ts'
import { checkPlaces, followBatch, type Places } from '../follow-batch.ts'
import { type SessionOptions, withSession } from '../session.ts'

export const listBatches = (
  options: SessionOptions & { readonly limit: string },
  terminal: CommandIo,
): Promise<number> =>
  withSession(terminal, options, async ({ batches, out }) => {
    const list = await batches.list(Number(options.limit))
    if (options.json) out(renderJson(list))
    else if (list.length === 0) out('There are no batches.')
    else out(renderTable([['BATCH', 'STATUS', 'DONE', 'FAILED', 'CREATED'], ...list.map(row)]))
    return 0
  })

/** What can be done to one batch at once, and shows what it then is. */
export const actOnBatch = (
  action: 'read' | 'cancel' | 'retry',
  id: string,
  options: SessionOptions,
  terminal: CommandIo,
): Promise<number> =>
  withSession(terminal, options, async ({ batches, out }) => {
    const batch = await batches[action](id)
    out(options.json ? renderJson(batch) : describe(batch))
    return 0
  })

export const waitForBatch = (
  id: string,
  options: SessionOptions & Places,
  terminal: CommandIo,
): Promise<number> =>
  withSession(terminal, options, async session => {
    await checkPlaces(session, options)
    // The first request does not retry: a wrong address or id should be reported at once.
    await session.batches.read(id)
    return followBatch(session, id, options)
  })

const row = (batch: BatchView): string[] => [
  batch.id,
  batch.blocked === null ? batch.status : `${batch.status}, blocked`,
  `${doneOf(batch)}/${batch.request_counts.total}`,
  String(batch.request_counts.failed),
  renderTime(batch.created_at),
]

const describe = (batch: BatchView): string => {
  const { completed, failed, total } = batch.request_counts
  const rows: [string, string | null][] = [
    ['status', batch.status],
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
    ['webhook', batch.webhook && `${batch.webhook.url}: ${batch.webhook.status}`],
  ]
  const table = renderTable(rows.flatMap(([label, text]) => (text === null ? [] : [[`  ${label}`, text]])))
  return `${batch.id}\n${table}${batch.status === 'failed' ? `\n${describeFaults(batch)}` : ''}`
}
