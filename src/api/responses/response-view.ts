import { failureStatus, isGivable, type JobError } from '../../domain/job.ts'
import { toldFailure } from '../../domain/job-failure.ts'
import { repeatedRequest } from '../../domain/repeated-request.ts'
import type { JobRecord } from '../../jobs/record.ts'
import { wholeSeconds } from '../../jobs/view.ts'
import { type Edit, replacing, withEdits } from '../../json/edits.ts'
import { JsonText } from '../../json/json-text.ts'
import { membersOf } from '../../json/members.ts'
import { responseIdOf } from '../../redis/keys.ts'

/**
 * A job in the background as OpenAI's API shows a response; to be written by `writeJson`. `request`: the parsed
 * body that it was asked with, of which a response repeats the parameters.
 */
export const responseView = (record: JobRecord, request: unknown): object => {
  const { status, response, error } = record
  if (hasAnswer(record)) return new JsonText(asOurs(response!.body, responseIdOf(record.id)))
  return {
    ...unansweredView(record, request, statusOf(record)),
    error: error && status !== 'cancelled' ? toldError(error) : null,
  }
}

/** Whether there is an answer that is the response, rather than the job's own words. */
export const hasAnswer = ({ status, response, error }: JobRecord): boolean =>
  status === 'succeeded' && response !== null && isGivable(error)

/** As a response is shown that has no answer, in this status. */
export const unansweredView = (
  { id, createdAtMs, model, home }: JobRecord,
  request: unknown,
  status: string,
) => ({
  ...{ id: responseIdOf(id), object: 'response', created_at: wholeSeconds(createdAtMs), background: true },
  status,
  ...{ completed_at: null, error: null as object | null },
  ...{ incomplete_details: null, output: [], usage: null, model },
  ...repeatedRequest(request),
  // The request names it as its provider does.
  ...(home?.givenId !== undefined && { previous_response_id: home.givenId }),
})

/** Never back from `in_progress`, as with OpenAI: a job that waits after a call is still the same response. */
export const statusOf = ({ status, startedAtMs }: JobRecord): string => {
  if (status === 'cancelled') return status
  if (status === 'failed' || status === 'expired' || status === 'succeeded') return 'failed'
  return startedAtMs === null ? 'queued' : 'in_progress'
}

/** As a waiting connection would have been told. */
const toldError = (error: JobError): object => {
  const { code, message } = toldFailure(error, failureStatus[error.code])
  return { code, message }
}

/**
 * The provider's answer under the id that the client has for it. The provider was asked in the foreground, and
 * says so; every other byte is its own.
 */
export const asOurs = (answer: string, id: string): string => {
  const ours: Readonly<Record<string, unknown>> = { id, background: true }
  const edits: Edit[] = []
  const missing = new Set(Object.keys(ours))
  for (const member of membersOf(answer)) {
    if (!Object.hasOwn(ours, member.name)) continue
    missing.delete(member.name)
    edits.push(replacing(member, ours[member.name]))
  }
  const added = [...missing].map(name => `${JSON.stringify(name)}:${JSON.stringify(ours[name])},`).join('')
  const start = answer.indexOf('{') + 1
  if (added !== '' && start > 0) edits.push({ start, end: start, text: added })
  return withEdits(answer, edits)
}
