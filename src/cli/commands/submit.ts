import type { BatchView } from '../../batches/view.ts'
import { renderBytes } from '../../terminal/format.ts'
import { ApiRefusal } from '../api-client.ts'
import { type CommandIo, renderJson } from '../command-io.ts'
import { checkPlaces, followBatch, type Places } from '../follow-batch.ts'
import { openInput } from '../input-file.ts'
import { type Session, type SessionOptions, withSession } from '../session.ts'

export interface SubmitOptions extends SessionOptions, Places {
  readonly wait: boolean
  readonly endpoint: string
  readonly window: string
  readonly webhook?: string
  /** US dollars. */
  readonly maxCost?: number
}

/** Makes a batch of a JSONL file. Answers once it is created, or has ended where that is waited for. */
export const submit = (file: string, options: SubmitOptions, terminal: CommandIo): Promise<number> =>
  withSession(terminal, options, async session => {
    const batch = await createBatch(session, file, options)
    if (options.wait) return followBatch(session, batch.id, options)
    if (options.json) session.out(renderJson({ batch, output: null, errors: null }))
    else session.out(batch.id)
    return 0
  })

const createBatch = async (session: Session, file: string, options: SubmitOptions): Promise<BatchView> => {
  const { api, batches, screen, suggest } = session
  session.leaves('nothing was submitted')
  const path = session.pathOf(file)
  const content = await openInput(path, file)
  await checkPlaces(session, options)
  // A wrong key or address is reported before a large file has been sent.
  await api.ask('GET', '/v1/batches?limit=1')
  screen.say(`sending ${file} (${renderBytes(content.size)}) to ${api.url}`)
  const fileId = await batches.upload(path, content)

  session.leaves(`the batch may have been created: see ${suggest('batches list')}`)
  const request = {
    input_file_id: fileId,
    endpoint: options.endpoint,
    completion_window: options.window,
    ...(options.webhook !== undefined && { webhook: { url: options.webhook } }),
    ...(options.maxCost !== undefined && { max_cost_usd: options.maxCost }),
  }
  const batch = await batches.create(request).catch(async error => {
    // The id of this file is shown nowhere, so it would stay for ever.
    if (error instanceof ApiRefusal) await batches.discard(fileId).catch(() => undefined)
    throw error
  })
  screen.say(options.wait ? `${batch.id} is created` : hints(session, batch))
  return batch
}

const hints = ({ suggest }: Session, { id }: BatchView): string =>
  [
    `the batch is created`,
    `  follow it, and get its results: ${suggest(`batches wait ${id}`)}`,
    `  look at it: ${suggest(`batches show ${id}`)}`,
    `  cancel it: ${suggest(`batches cancel ${id}`)}`,
  ].join('\n')
