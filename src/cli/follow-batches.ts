import type { BatchView } from '../batches/view.ts'
import { createBatchProgress, describeBlocked, describeEnd, describeFaults } from './batch-text.ts'
import { CommandError, renderJson } from './command-io.ts'
import { checkWritable } from './input-file.ts'
import { type FileWriter, saveFiles, writeFiles } from './save-file.ts'
import type { Session } from './session.ts'
import { standardStream } from './submission/read-input.ts'
import { watchBatches } from './watch-batches.ts'

/** How a command that waited for batches ends: of several, the highest. docs/batches.md has this table. */
export const exitCodes = { completed: 0, linesFailed: 3, refused: 4, cutShort: 5 } as const

/** Where results go, as a person wrote it; named after the batch, or the submission, otherwise. */
export interface Places {
  /** `-` is standard output. */
  readonly output?: string
  readonly errors?: string
}

export const checkPlaces = async (session: Session, { output, errors }: Places): Promise<void> => {
  for (const name of [output, errors]) {
    if (name !== undefined && name !== standardStream) await checkWritable(session.pathOf(name), name)
  }
  if (output !== undefined && output === errors) {
    throw new CommandError('--output and --errors must be two files')
  }
}

/** Batches whose results are put together, in order. */
export interface Followed {
  readonly ids: readonly string[]
  /** What their files are called after. */
  readonly name: string
  /** What names them on a command line. */
  readonly words: string
}

/** Shows batches until all have ended, fetches their results as one, and answers the exit code. */
export const followBatches = async (
  session: Session,
  followed: Followed,
  places: Places,
): Promise<number> => {
  const { screen, signal, suggest } = session
  const { ids, name, words } = followed
  const goOn = ids.length === 1 ? `${name} goes on` : `The batches of ${name} go on`
  session.leaves(
    `${goOn} without this command.\n  follow: ${suggest(`batches wait ${words}`)}\n  cancel: ${suggest(`batches cancel ${words}`)}`,
  )
  const progress = createBatchProgress(() => performance.now())
  const told = new Map<string, number>()
  const look = (batches: readonly BatchView[] | null): void => {
    screen.show(progress(batches))
    for (const batch of batches ?? []) {
      const { id, blocked } = batch
      // Printed once each time, and when the batch continues: a person may look only at the end.
      if (blocked && blocked.since !== told.get(id)) screen.say(`${id} is ${describeBlocked(batch)}`)
      if (!blocked && told.has(id)) screen.say(`${id} goes on`)
      if (blocked) told.set(id, blocked.since)
      else told.delete(id)
    }
  }
  const batches = await watchBatches(session.batches, ids, look, signal)
  screen.finish()
  session.leaves(`${name} has ended; fetch its results with ${suggest(`batches wait ${words}`)}`)
  const saved = await saveResults(session, batches, name, places)
  screen.finish()
  const result = batches.length === 1 ? { batch: batches[0] } : { batches }
  // What is read there is the output alone.
  const tell = places.output === standardStream ? screen.say : session.out
  tell(session.json ? renderJson({ ...result, ...saved }) : report(session, batches, words, saved))
  return Math.max(...batches.map(exitCodeOf))
}

interface Saved {
  /** Paths; null for a file that was not written. */
  readonly output: string | null
  readonly errors: string | null
}

/** A file that a person named is always written, so that none of an earlier batch stands there. */
const saveResults = async (
  session: Session,
  batches: readonly BatchView[],
  name: string,
  places: Places,
): Promise<Saved> => {
  const { screen, signal } = session
  const show: FileWriter['show'] = frame => screen.show(frame)
  const save = async (ids: readonly (string | null)[], named: string | undefined, usual: string) => {
    const there = ids.filter(id => id !== null)
    if (there.length === 0 && named === undefined) return null
    const writer = { batches: session.batches, signal, show, what: usual }
    if (named === standardStream) {
      await writeFiles(writer, there, session.output)
      return null
    }
    const path = session.pathOf(named ?? `${name}_${usual}.jsonl`)
    await saveFiles(writer, there, path)
    return path
  }
  return {
    output: await save(
      batches.map(batch => batch.output_file_id),
      places.output,
      'output',
    ),
    errors: await save(
      batches.map(batch => batch.error_file_id),
      places.errors,
      'error',
    ),
  }
}

const report = (
  { suggest, paint }: Session,
  batches: readonly BatchView[],
  words: string,
  { output, errors }: Saved,
): string => {
  const retried = batches.filter(
    ({ status, request_counts }) => status !== 'failed' && request_counts.failed > 0,
  )
  const again = retried.length === batches.length ? words : retried.map(({ id }) => id).join(' ')
  return [
    ...batches.map(batch => {
      const tone = exitCodeOf(batch) === exitCodes.completed ? 'good' : 'bad'
      return paint(tone, describeEnd(batch))
    }),
    ...batches
      .filter(({ status }) => status === 'failed')
      .map(batch => describeFaults(batch.errors?.data ?? [])),
    ...(output === null ? [] : [`output: ${output}`]),
    ...(errors === null ? [] : [`errors: ${errors}`]),
    ...(retried.length > 0
      ? [`again, only the lines that failed: ${suggest(`batches retry ${again}`)}`]
      : []),
  ].join('\n')
}

const exitCodeOf = ({ status, request_counts: { failed } }: BatchView): number => {
  if (status === 'failed') return exitCodes.refused
  if (status !== 'completed') return exitCodes.cutShort
  return failed > 0 ? exitCodes.linesFailed : exitCodes.completed
}
