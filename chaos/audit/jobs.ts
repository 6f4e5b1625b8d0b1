import { isTerminal } from '../../src/domain/job.ts'
import type { JobView } from '../../src/jobs/view.ts'
import type { JobEntry } from '../load/ledger.ts'
import { answerTo } from '../plan/load.ts'
import type { Evidence, Violation } from './evidence.ts'

/** Every accepted job has exactly one final result, of the kind that its request allows; what was refused is no job. */
export const judgeJobs = ({ ledger, jobs, listed }: Evidence): Violation[] => {
  const accepted = new Set(ledger.jobs.map(({ id }) => id).filter(id => id !== null))
  const times = Map.groupBy(listed, id => id)
  const stranger = (id: string): Violation => ({
    rule: 'jobs',
    id,
    marker: null,
    what: 'is listed, and no client was told that it was accepted',
  })
  return [
    ...repeatedIds(ledger.jobs),
    ...ledger.jobs.flatMap(entry => {
      const job = entry.id === null ? undefined : jobs.get(entry.id)
      const listedTimes = entry.id === null ? 1 : (times.get(entry.id)?.length ?? 0)
      return faultsOf(entry, job, listedTimes).map(what => ({
        rule: 'jobs',
        id: entry.id,
        marker: entry.order.marker,
        what,
      }))
    }),
    ...[...times.keys()].filter(id => !accepted.has(id)).map(stranger),
  ]
}

const repeatedIds = (entries: readonly JobEntry[]): Violation[] =>
  [...Map.groupBy(entries, ({ id }) => id)]
    .filter(([id, same]) => id !== null && same.length > 1)
    .map(([id, same]) => ({
      rule: 'jobs',
      id,
      marker: same[0]!.order.marker,
      what: `was answered to ${same.length} different submissions`,
    }))

/** A chat without a message. */
const refusedAs = 'invalid_request'

const faultsOf = (entry: JobEntry, job: JobView | undefined, listedTimes: number): string[] => {
  const { order, id, refusal } = entry
  if (order.fate === 'malformed') {
    return refusal === refusedAs ? [] : [`should be refused, and was answered ${refusal ?? id}`]
  }
  if (id === null) return [refusal === null ? 'was never answered' : `was refused: ${refusal}`]
  if (job === undefined) return ['was accepted and is lost: the API knows it no more']
  return [
    ...(listedTimes === 1 ? [] : [`is listed ${listedTimes} times`]),
    ...(isTerminal(job.status) ? endFaults(entry, job) : [`has no result: it is ${job.status}`]),
  ]
}

const endFaults = (entry: JobEntry, job: JobView): string[] => {
  const { status } = job
  const allowed = allowedEnds(entry)
  if (entry.order.cutsAfterMs !== null && job.error?.code === 'stream_broken') return []
  if (!allowed.includes(status)) {
    return [`ended as ${status} (${job.error?.code ?? 'no error'}), not as ${allowed.join(' or ')}`]
  }
  if (job.metadata.marker !== entry.order.marker) return ['is shown with the metadata of another']
  if (status === 'succeeded') return successFaults(job, entry.order.marker)
  if (job.error === null) return [`is ${status} without an error`]
  if (status === 'expired' && job.finished_at! < job.expires_at) return ['expired before its time']
  return []
}

const allowedEnds = ({ order, cancel }: JobEntry): readonly string[] => {
  // The answer to a cancel is a promise; without one, either may have come first.
  if (order.fate === 'cancelled' && cancel?.status === 200) return ['cancelled']
  const ends: Record<typeof order.fate, string> = {
    plain: 'succeeded',
    scripted: 'succeeded',
    cancelled: 'succeeded',
    rejected: 'failed',
    stuck: 'expired',
    malformed: 'refused',
  }
  return order.window === '1m' ? [ends[order.fate], 'expired'] : [ends[order.fate]]
}

const successFaults = (job: JobView, marker: string): string[] => {
  // An answer that came too late is in the log, too, as it is on the bill; the calls show whether it was
  // needed.
  const isAnswered = job.attempts.some(({ verdict }) => verdict === 'ok')
  return [
    ...(textOf(job.response?.body) === answerTo(marker) ? [] : ['has not the answer to its question']),
    ...(isAnswered ? [] : ['has no good answer on its log']),
  ]
}

/** In OpenAI's format, whichever provider answered: the requests were made in it. */
export const textOf = (body: unknown): unknown =>
  (body as { choices?: { message?: { content?: unknown } }[] } | undefined)?.choices?.[0]?.message?.content
