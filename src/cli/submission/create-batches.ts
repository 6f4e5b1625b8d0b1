import type { BatchView } from '../../batches/view.ts'
import { renderBytes } from '../../terminal/format.ts'
import { createRate, shownFromBytes } from '../../terminal/screen.ts'
import { ApiRefusal } from '../api-client.ts'
import type { NewBatch } from '../batch-client.ts'
import { CommandError } from '../command-io.ts'
import type { Session } from '../session.ts'
import { findSubmission } from './find-submission.ts'
import type { Input } from './read-input.ts'
import { checkSubmissionId, markOf, newSubmissionId } from './submission-mark.ts'
import type { Part, Survey } from './survey.ts'

export interface Submission {
  readonly input: Input
  readonly survey: Survey
  readonly request: Omit<NewBatch, 'input_file_id'>
  /** What an earlier command began; undefined to begin anew. */
  readonly resume: string | undefined
  /** The command line that goes on with it. */
  readonly resumeBy: (id: string) => string
}

/**
 * Sends each part and makes a batch of it, in order. Parts of one input bear marks in their metadata, by which a command
 * that goes on finds what another made before it broke off: no part becomes two batches.
 */
export const createBatches = async (
  session: Session,
  submission: Submission,
): Promise<readonly BatchView[]> => {
  const { input, survey, request, resume, resumeBy } = submission
  const { batches, screen, api, suggest } = session
  const { parts } = survey
  if (resume !== undefined) checkSubmissionId(resume, survey.digest, input.name)
  const id = resume ?? newSubmissionId(survey.digest)
  const isSplit = parts.length > 1
  const made: BatchView[] = []
  const known = resume === undefined ? null : await findSubmission(batches, id)
  if (known && known.of !== null && known.of !== parts.length)
    throw new CommandError(
      `${id} was begun as ${known.of} batches, and would now be ${parts.length}: give the same --split`,
    )

  const left = parts.filter((_, i) => !known?.batches.has(i + 1))
  const size = left.reduce((sum, { start, end }) => sum + end - start, 0)
  const kind = isSplit ? `as ${parts.length} batches ` : ''
  const sendsWhole = left.length === parts.length
  screen.say(
    sendsWhole
      ? `sending ${input.name} (${renderBytes(size)}) ${kind}to ${api.url}`
      : `${known!.batches.size} of ${parts.length} batches are there; sending the rest (${renderBytes(size)})`,
  )
  if (isSplit) screen.say(`this is ${id}; should it break off: ${resumeBy(id)}`)
  const leftBehind = (isSending: boolean): string => {
    if (!isSplit)
      return isSending
        ? `the batch may have been created: see ${suggest('batches list')}`
        : 'nothing was submitted'
    const there = `${made.length} of ${parts.length} batches were created, and go on`
    const cancel = made.length === 0 ? '' : `\n  cancel them: ${suggest(`batches cancel ${id}`)}`
    return `${there}.\n  create the others: ${resumeBy(id)}${cancel}`
  }
  const progress = createUploadProgress(size)
  const create = async (part: Part, index: number): Promise<BatchView> => {
    const content = input.content.slice(part.start, part.end)
    const fileId = await batches.upload(input.filename, content, bytes => {
      const frame = progress(bytes)
      if (size >= shownFromBytes) screen.show(frame)
    })
    screen.finish()
    session.leaves(leftBehind(true))
    const mark = isSplit ? markOf(id, { part: index + 1, of: parts.length }) : {}
    const metadata = { ...request.metadata, ...mark }
    const body = { ...request, input_file_id: fileId, ...(Object.keys(metadata).length > 0 && { metadata }) }
    return batches.create(body).catch(async error => {
      // The id of this file is shown nowhere, so it would stay for ever.
      if (error instanceof ApiRefusal) await batches.discard(fileId).catch(() => undefined)
      throw error
    })
  }
  for (const [i, part] of parts.entries()) {
    session.leaves(leftBehind(false))
    try {
      made.push(known?.batches.get(i + 1) ?? (await create(part, i)))
    } catch (error) {
      if (!isSplit || !(error instanceof CommandError) || session.signal.aborted) throw error
      const rest = `${made.length} of ${parts.length} batches are created; the others: ${resumeBy(id)}`
      throw new CommandError(`${error.message}\n${rest}`, { cause: error })
    }
  }
  return made
}

/** How much of so many bytes is sent, piece by piece. */
export const createUploadProgress = (size: number) => {
  const rate = createRate()
  let sent = 0
  return (bytes: number) => {
    sent = Math.min(size, sent + bytes)
    const perSecond = rate(sent, performance.now())
    const speed = perSecond > 0 ? ` · ${renderBytes(Math.round(perSecond))}/s` : ''
    const text = `sent ${renderBytes(sent)} of ${renderBytes(size)}${speed}`
    return { share: size === 0 ? 1 : sent / size, text, phase: 'sending' }
  }
}
