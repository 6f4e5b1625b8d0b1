import { isBatchId, isNoticeId } from '../redis/keys.ts'

/**
 * A doorbell says "look at this job" and carries nothing else. Its name is deterministic, so ringing twice is
 * harmless, and it is never all digits and holds no colon, which BullMQ would refuse.
 */
export type Doorbell =
  | { readonly kind: 'job'; readonly jobId: string; readonly hop: number; readonly generation: number }
  | { readonly kind: 'webhook'; readonly jobId: string; readonly attempt: number }
  /** Not rung anywhere: a schedule entry that wakes the sweeper when the lease of the worker that delivers a webhook ends. */
  | { readonly kind: 'delivery'; readonly jobId: string; readonly attempt: number }
  /** Nor are these: they wake it at a job's deadline, or when its worker's lease ends. */
  | { readonly kind: 'deadline' | 'lease'; readonly jobId: string }

export const jobDoorbell = (jobId: string, hop: number, generation: number): string =>
  `${jobId}.${hop}.${generation}`
export const webhookDoorbell = (jobId: string, attempt: number): string => `${jobId}.w.${attempt}`
/** The schedule's entry of a delivery under way, by the name of its doorbell. */
export const deliveryLease = (doorbell: string): string => `${doorbell}.l`
export const deliveryEntry = (jobId: string, attempt: number): string =>
  deliveryLease(webhookDoorbell(jobId, attempt))
export const deadlineEntry = (jobId: string): string => `${jobId}.x`
export const leaseEntry = (jobId: string): string => `${jobId}.l`

export const parseDoorbell = (name: string): Doorbell => {
  const [jobId, second, third, fourth] = name.split('.') as [string, string, string?, string?]
  if (second === 'x') return { kind: 'deadline', jobId }
  if (second === 'l') return { kind: 'lease', jobId }
  if (second === 'w') return { kind: fourth === 'l' ? 'delivery' : 'webhook', jobId, attempt: Number(third) }
  return { kind: 'job', jobId, hop: Number(second), generation: Number(third) }
}

/** A batch has no entry but those of its webhook, of its end and of notices, named as a job's are. Null for an entry of a job. */
export const parseBatchDoorbell = (
  name: string,
): { readonly batchId: string; readonly attempt: number } | null => {
  const [id, , attempt] = name.split('.') as [string, string, string]
  return isBatchId(id) || isNoticeId(id) ? { batchId: id, attempt: Number(attempt) } : null
}
