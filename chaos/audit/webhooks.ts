import { isDeepStrictEqual } from 'node:util'
import type { Event, Evidence, Violation } from './evidence.ts'
import { judgeMeanwhile } from './held-webhooks.ts'

interface Told {
  readonly type?: unknown
  readonly data?: Readonly<Record<string, unknown>>
}

interface Owed {
  readonly id: string
  readonly marker: string
  /** `job.succeeded`, as the record has it now. */
  readonly type: string
  readonly isGone: boolean
}

const idOf = ({ event }: Event): string => String((event as Told).data?.id ?? '')

/** Every webhook arrived at least once or is a dead letter, and repetitions say the same. */
export const judgeWebhooks = (evidence: Evidence): Violation[] => {
  const { deliveries, deadLetters } = evidence
  const owed = webhooksOwed(evidence)
  const verified = Map.groupBy(
    deliveries.filter(({ isVerified }) => isVerified),
    idOf,
  )
  const known = new Set(owed.map(({ id }) => id))
  const unverified = deliveries.length - [...verified.values()].flat().length
  return [
    ...judgeMeanwhile(evidence),
    ...(unverified === 0 ? [] : [about(null, null, `${unverified} deliveries did not verify`)]),
    ...[...verified.keys()]
      .filter(id => !known.has(id))
      .map(id => about(id, null, 'is told of by a webhook that nobody asked for')),
    ...owed.flatMap(webhook =>
      faultsOf(webhook, verified.get(webhook.id) ?? [], deadLetters.has(webhook.id)).map(what =>
        about(webhook.id, webhook.marker, what),
      ),
    ),
  ]
}

const about = (id: string | null, marker: string | null, what: string): Violation => ({
  rule: 'webhooks',
  id,
  marker,
  what,
})

const webhooksOwed = ({ ledger, jobs, batches }: Evidence): Owed[] => [
  ...ledger.jobs.flatMap(({ id, order }) => {
    const job = id === null || order.webhook === null ? undefined : jobs.get(id)
    if (!job) return []
    return [{ id: job.id, marker: order.marker, type: `job.${job.status}`, isGone: order.webhook === 'gone' }]
  }),
  ...ledger.batches.flatMap(({ id, order }) => {
    const batch = id === null || !order.webhook ? undefined : batches.get(id)
    if (!batch) return []
    return [{ id: batch.view.id, marker: order.name, type: `batch.${batch.view.status}`, isGone: false }]
  }),
]

const faultsOf = ({ type, isGone }: Owed, deliveries: readonly Event[], isDead: boolean): string[] => {
  if (isGone) return isDead ? [] : ['its webhook was refused with 410, and is no dead letter']
  const taken = deliveries.filter(({ status }) => status !== null && status < 300)
  if (taken.length === 0) return isDead ? [] : ['its webhook never arrived, and is no dead letter']
  return [
    ...(new Set(deliveries.map(({ id }) => id)).size === 1 ? [] : ['had webhooks with different ids']),
    ...(deliveries.every(({ event }) => (event as Told).type === type)
      ? []
      : [`ended as ${type}, and a webhook told of another end`]),
    ...(deliveries.every(({ event }) =>
      isDeepStrictEqual(identityOf(event as Told), identityOf(deliveries[0]!.event as Told)),
    )
      ? []
      : ['a webhook was repeated with another result']),
  ]
}

/** All but how the delivery itself fares. */
const identityOf = ({ type, data }: Told): unknown => {
  const { webhook: _, ...rest } = data ?? {}
  return { type, data: rest }
}
