import type { JobRecord } from '../../jobs/record.ts'
import { jobView } from '../../jobs/view.ts'
import { writeJson } from '../../json/json-text.ts'

/**
 * Names a state that a client may have seen: another status, or another call in the log, has another name. In whichever
 * process it is asked for, so that a client can come back to any. Each move gives the job another doorbell, which is hop and
 * ring; a log that is long gives up old calls, so its length alone does not tell that one was added.
 */
export const eventIdOf = ({ hop, ring, attempts, status }: JobRecord): string => {
  const lastCallMs = Math.round((attempts.at(-1)?.started_at ?? 0) * 1_000)
  return [hop, ring, attempts.length, lastCallMs, status].join('.')
}

/** Between the tokens of an answer, where they are but white space: a line break would end the field of an event. */
const lineBreaks = /[\r\n]+/g

/** A server-sent event: `job.` and the status, as webhooks name the end, and the job as `GET` shows it. */
export const jobEvent = (record: JobRecord): string =>
  `id: ${eventIdOf(record)}\nevent: job.${record.status}\ndata: ${writeJson(jobView(record)).replace(lineBreaks, ' ')}\n\n`
