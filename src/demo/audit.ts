import { isDeepStrictEqual } from 'node:util'
import type { Delivery } from '../sim/webhook-receiver.ts'
import type { JobView } from '../store/job-view.ts'
import { questionOf } from './client.ts'

export interface Evidence {
  /** As the submissions answered them, in order. */
  readonly ids: readonly string[]
  /** Each read back over HTTP, in the same order. */
  readonly jobs: readonly JobView[]
  /** What the webhook receiver got. */
  readonly deliveries: readonly Pick<Delivery, 'id' | 'isVerified' | 'event'>[]
}

/** What is wrong with a run, a sentence each; empty when every promise was kept. */
export const audit = (evidence: Evidence): readonly string[] => [
  ...idFaults(evidence),
  ...evidence.jobs.flatMap((job, index) => resultFaults(job, index)),
  ...deliveryFaults(evidence),
]

const idFaults = ({ ids, jobs }: Evidence): string[] => {
  const faults: string[] = []
  if (new Set(ids).size !== ids.length) faults.push('two submissions were answered with the same job')
  if (jobs.some(({ id }, index) => id !== ids[index])) faults.push('a job was read back under another id')
  return faults
}

const resultFaults = (job: JobView, index: number): string[] => {
  if (job.status !== 'succeeded') return [`${job.id} is ${job.status}: ${job.error?.code ?? 'no result'}`]
  const good = job.attempts.filter(attempt => attempt.verdict === 'ok')
  if (good.length !== 1) return [`${job.id} has ${good.length} good answers on its log`]
  return answerText(job) === `echo: ${questionOf(index)}`
    ? []
    : [`${job.id} has not the answer to its question`]
}

/** OpenAI's format, whichever provider answered: the jobs were submitted in it. */
const answerText = (job: JobView): unknown => {
  const body = job.response?.body as { choices?: { message?: { content?: unknown } }[] } | undefined
  return body?.choices?.[0]?.message?.content
}

interface JobEvent {
  readonly type?: unknown
  readonly data?: Partial<JobView>
}

const deliveryFaults = ({ ids, jobs, deliveries }: Evidence): string[] => {
  const unverified = deliveries.filter(({ isVerified }) => !isVerified).length
  const known = new Set(ids)
  const events = Map.groupBy(
    deliveries.filter(({ isVerified }) => isVerified),
    ({ event }) => (event as JobEvent).data?.id ?? '',
  )
  const strangers = [...events.keys()].filter(id => !known.has(id))
  return [
    ...(unverified > 0 ? [`${unverified} webhooks did not verify`] : []),
    ...strangers.map(id => `a webhook tells of '${id}', which was not submitted`),
    ...jobs.flatMap(job => eventFaults(job, events.get(job.id) ?? [])),
  ]
}

/** A repetition is within the promise (at least once) as long as it is the same event. */
const eventFaults = (job: JobView, deliveries: Evidence['deliveries']): string[] => {
  if (deliveries.length === 0) return [`${job.id} had no webhook`]
  if (new Set(deliveries.map(({ id }) => id)).size > 1) return [`${job.id} had webhooks with different ids`]
  const tellsTheResult = deliveries.every(({ event }) => {
    const { type, data } = event as JobEvent
    return type === `job.${job.status}` && isDeepStrictEqual(data?.response, job.response)
  })
  return tellsTheResult ? [] : [`the webhook of ${job.id} tells of another result`]
}
