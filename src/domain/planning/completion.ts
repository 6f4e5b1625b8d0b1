import { classWeights, type QueueClass, queueClasses } from '../place.ts'
import type { QueueSpeed } from './queue-speed.ts'

/** Those that wait in one line, and its part of the calls while others wait as well. */
export interface Line {
  readonly waiting: number
  readonly weight: number
}

/** What waits in a queue, as one of its tenants sees it. */
export interface Crowd {
  readonly class: QueueClass
  /** Jobs of each class. */
  readonly waiting: Readonly<Record<QueueClass, number>>
  /** Of the class: jobs of the tenant itself, and how many tenants wait, itself included where it does. */
  readonly own: number
  readonly tenants: number
}

/**
 * How many are served until `own` are: these, and of each other line as many as its share lets through meanwhile, or all that
 * wait there.
 */
export const servedUntil = (own: Line, others: readonly Line[]): number =>
  others.reduce(
    (sum, { waiting, weight }) => sum + Math.min(waiting, (own.waiting * weight) / own.weight),
    own.waiting,
  )

/** How many jobs a queue serves until `count` more of a tenant are served: tenants share a class, and classes the queue. */
export const servedInAll = (count: number, { class: ownClass, waiting, own, tenants }: Crowd): number => {
  const rest = { waiting: Math.max(0, waiting[ownClass] - own), weight: tenants - (own > 0 ? 1 : 0) }
  const inClass = servedUntil({ waiting: count, weight: 1 }, [rest])
  const classes = queueClasses.filter(name => name !== ownClass)
  return servedUntil(
    { waiting: inClass, weight: classWeights[ownClass] },
    classes.map(name => ({ waiting: waiting[name], weight: classWeights[name] })),
  )
}

/**
 * When `count` more jobs of a tenant have their answers, in Unix ms, by the speed that the queue has now; null where that is not
 * known. The last of them has its call after all that are served before it.
 */
export const completionAt = (
  count: number,
  crowd: Crowd,
  { perSecond, callMs }: QueueSpeed,
  nowMs: number,
): number | null =>
  perSecond === null ? null : nowMs + (servedInAll(count, crowd) / perSecond) * 1_000 + (callMs ?? 0)

/** With less than this part of its window left a batch is urgent, whatever the estimate says. */
const nearShare = 0.05

export const isNearDeadline = (
  { createdAtMs, expiresAtMs }: { readonly createdAtMs: number; readonly expiresAtMs: number },
  nowMs: number,
): boolean => expiresAtMs - nowMs < (expiresAtMs - createdAtMs) * nearShare

/** The estimate has to stay on one side for so long before a warning comes, or goes. */
const holdsMs = 20_000
/** A warning goes when this part of the time left is to spare: it does not come and go with each change of the speed. */
const toSpare = 0.05

export interface Watch {
  readonly isAtRisk: boolean
  /** Unix ms since when the estimate says otherwise; null while it does not. */
  readonly otherwiseSinceMs: number | null
}

/** Whether a deadline is at risk by an estimate (null: unknown, so nothing changes), given what was said before. */
export const watchDeadline = (
  { isAtRisk, otherwiseSinceMs }: Watch,
  estimateMs: number | null,
  deadlineMs: number,
  nowMs: number,
): Watch => {
  const spareMs = (deadlineMs - nowMs) * toSpare
  const isLate = estimateMs !== null && estimateMs > (isAtRisk ? deadlineMs - spareMs : deadlineMs)
  if (estimateMs === null || isLate === isAtRisk) return { isAtRisk, otherwiseSinceMs: null }
  const sinceMs = otherwiseSinceMs ?? nowMs
  return nowMs - sinceMs >= holdsMs
    ? { isAtRisk: isLate, otherwiseSinceMs: null }
    : { isAtRisk, otherwiseSinceMs: sinceMs }
}
