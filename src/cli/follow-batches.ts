import type { BatchView } from '../batches/view.ts'
import { watchBatch } from './batch-client.ts'
import { createBatchProgress, describeBlocked, describeEnd, describeFaults } from './batch-text.ts'
import { CommandError, renderJson } from './command-io.ts'
import { checkWritable } from './input-file.ts'
import { saveFile } from './save-file.ts'
import type { Session } from './session.ts'

/** How a command that waited for a batch ends. docs/batches.md has this table. */
export const exitCodes = { completed: 0, linesFailed: 3, refused: 4, cutShort: 5 } as const

/** Where results go, as a person wrote it; named after the batch otherwise. */
export interface Places {
  readonly output?: string
  readonly errors?: string
}

export const checkPlaces = async (session: Session, { output, errors }: Places): Promise<void> => {
  for (const name of [output, errors]) {
    if (name !== undefined) await checkWritable(session.pathOf(name), name)
  }
  if (output !== undefined && output === errors) {
    throw new CommandError('--output and --errors must be two files')
  }
}

/** Shows a batch until it has ended, fetches its results, and answers the exit code. */
export const followBatch = async (session: Session, id: string, places: Places): Promise<number> => {
  const { screen, signal, out, suggest } = session
  session.leaves(
    `${id} goes on without this command.\n  follow it: ${suggest(`batches wait ${id}`)}\n  cancel it: ${suggest(`batches cancel ${id}`)}`,
  )
  const progress = createBatchProgress(() => performance.now())
  let told: number | null = null
  const look = (batch: BatchView | null): void => {
    screen.show(progress(batch))
    const since = batch?.blocked?.since ?? null
    // Printed once each time, and when the batch continues: a person may look only at the end.
    if (batch && since !== null && since !== told) screen.say(`${id} is ${describeBlocked(batch)}`)
    if (batch && since === null && told !== null) screen.say(`${id} goes on`)
    if (batch) told = since
  }
  const batch = await watchBatch(session.batches, id, look, signal)
  screen.finish()
  session.leaves(`${id} has ended; fetch its results with ${suggest(`batches wait ${id}`)}`)
  const saved = await saveResults(session, batch, places)
  if (session.json) out(renderJson({ batch, ...saved }))
  else out(report(session, batch, saved))
  return exitCodeOf(batch)
}

interface Saved {
  /** Paths; null for a file that was not written. */
  readonly output: string | null
  readonly errors: string | null
}

/** A file that a person named is always written, so that none of an earlier batch stands there. */
const saveResults = async (session: Session, batch: BatchView, places: Places): Promise<Saved> => {
  const save = async (fileId: string | null, named: string | undefined, usual: string) => {
    if (fileId === null && named === undefined) return null
    const path = session.pathOf(named ?? usual)
    await saveFile(session.batches, fileId, path, session.signal)
    return path
  }
  return {
    output: await save(batch.output_file_id, places.output, `${batch.id}_output.jsonl`),
    errors: await save(batch.error_file_id, places.errors, `${batch.id}_error.jsonl`),
  }
}

const report = ({ suggest }: Session, batch: BatchView, { output, errors }: Saved): string => {
  const canRetry = batch.status !== 'failed' && batch.request_counts.failed > 0
  return [
    describeEnd(batch),
    ...(batch.status === 'failed' ? [describeFaults(batch)] : []),
    ...(output === null ? [] : [`output: ${output}`]),
    ...(errors === null ? [] : [`errors: ${errors}`]),
    ...(canRetry ? [`again, only the lines that failed: ${suggest(`batches retry ${batch.id}`)}`] : []),
  ].join('\n')
}

const exitCodeOf = ({ status, request_counts: { failed } }: BatchView): number => {
  if (status === 'failed') return exitCodes.refused
  if (status !== 'completed') return exitCodes.cutShort
  return failed > 0 ? exitCodes.linesFailed : exitCodes.completed
}
