import { isDeepStrictEqual } from 'node:util'
import type { JobView } from '../src/jobs/view.ts'
import type { Delivery } from '../src/sim/webhook-receiver.ts'
import { answerTo, jobName } from './workload.ts'

export interface JobEvidence {
  /** As the submissions answered them, in order. */
  readonly ids: readonly string[]
  /** Each read back over HTTP, in the same order. */
  readonly jobs: readonly JobView[]
}

/** What the webhook receiver got. */
export type Deliveries = readonly Pick<Delivery, 'id' | 'isVerified' | 'event'>[]

export interface Event {
  readonly type?: unknown
  readonly data?: Readonly<Record<string, unknown>>
}

/** The verified deliveries, by the id of their job or batch. */
export const verifiedById = (deliveries: Deliveries): ReadonlyMap<string, Deliveries> =>
  Map.groupBy(
    deliveries.filter(({ isVerified }) => isVerified),
    ({ event }) => String((event as Event).data?.id ?? ''),
  )

/** What is wrong with the deliveries that came to the receiver. */
export const auditDeliveries = (deliveries: Deliveries, known: ReadonlySet<string>): string[] => {
  const unverified = deliveries.filter(({ isVerified }) => !isVerified).length
  const strangers = [...verifiedById(deliveries).keys()].filter(id => !known.has(id))
  return [
    ...(unverified > 0 ? [`${unverified} webhooks did not verify`] : []),
    ...strangers.map(id => `a webhook tells of '${id}', which was not submitted`),
  ]
}

/** What is wrong with the single jobs, a sentence each; empty when every promise was kept. */
export const auditJobs = ({ ids, jobs }: JobEvidence, deliveries: Deliveries): string[] => {
  const events = verifiedById(deliveries)
  return [
    ...(new Set(ids).size === ids.length ? [] : ['two submissions were answered with the same job']),
    ...(jobs.some(({ id }, index) => id !== ids[index]) ? ['a job was read back under another id'] : []),
    ...jobs.flatMap((job, index) => resultFaults(job, jobName(index))),
    ...jobs.flatMap(job => eventFaults(job, events.get(job.id) ?? [])),
  ]
}

const resultFaults = (job: JobView, name: string): string[] => {
  if (job.status !== 'succeeded') return [`${job.id} is ${job.status}: ${job.error?.code ?? 'no result'}`]
  const good = job.attempts.filter(attempt => attempt.verdict === 'ok')
  if (good.length !== 1) return [`${job.id} has ${good.length} good answers on its log`]
  return answerText(job.response?.body) === answerTo(name)
    ? []
    : [`${job.id} has not the answer to its question`]
}

/** OpenAI's format, whichever provider answered: the requests were made in it. */
export const answerText = (body: unknown): unknown =>
  (body as { choices?: { message?: { content?: unknown } }[] } | undefined)?.choices?.[0]?.message?.content

/** A repetition is within the promise (at least once) as long as it is the same event. */
export const repetitionFaults = (id: string, deliveries: Deliveries): string[] => {
  if (deliveries.length === 0) return [`${id} had no webhook`]
  const isOne = new Set(deliveries.map(delivery => delivery.id)).size === 1
  return isOne ? [] : [`${id} had webhooks with different ids`]
}

const eventFaults = (job: JobView, deliveries: Deliveries): string[] => {
  const faults = repetitionFaults(job.id, deliveries)
  if (faults.length > 0) return faults
  const tellsTheResult = deliveries.every(({ event }) => {
    const { type, data } = event as Event
    return type === `job.${job.status}` && isDeepStrictEqual(data?.response, job.response)
  })
  return tellsTheResult ? [] : [`the webhook of ${job.id} tells of another result`]
}
