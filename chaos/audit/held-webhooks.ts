import type { Event, Evidence, Violation } from './evidence.ts'

/** What befell the receivers of some webhooks, and must not be felt by the others. */
const ofSome: ReadonlySet<string> = new Set(['receiver-hang', 'name-server-silent'])

/** With fewer that ended in those times, that none came would be chance, or other faults. */
const enough = 50

export interface WebhooksMeanwhile {
  /** Jobs and batches whose webhook goes elsewhere, and that ended in those times. */
  readonly ended: number
  /** Deliveries of those webhooks that came in those times. */
  readonly came: number
}

const idOf = ({ event }: Event): string =>
  String((event as { readonly data?: { readonly id?: unknown } } | undefined)?.data?.id ?? '')

/** How the webhooks of sound receivers fared while others hung, or could not be found. */
export const webhooksMeanwhile = ({ faults, ledger, jobs, deliveries }: Evidence): WebhooksMeanwhile => {
  const times = faults.filter(({ kind }) => ofSome.has(kind))
  const isThen = (ms: number): boolean =>
    times.some(({ beganAtMs, endedAtMs }) => beganAtMs <= ms && ms <= (endedAtMs ?? Number.POSITIVE_INFINITY))
  const kept = new Set(
    ledger.jobs.flatMap(({ id, order }) => (id !== null && order.webhook === 'kept' ? [id] : [])),
  )
  return {
    ended: [...kept].filter(id => isThen((jobs.get(id)?.finished_at ?? 0) * 1_000)).length,
    came: deliveries.filter(delivery => kept.has(idOf(delivery)) && isThen(delivery.atMs)).length,
  }
}

/** They keep coming: most of them, as other faults meet the worker and Redis at the same times. */
export const judgeMeanwhile = (evidence: Evidence): Violation[] => {
  const { ended, came } = webhooksMeanwhile(evidence)
  if (ended < enough || came * 4 >= ended) return []
  const what = `${came} webhooks came to sound receivers while others hung or had no name, and ${ended} were owed then`
  return [{ rule: 'webhooks', id: null, marker: null, what }]
}
