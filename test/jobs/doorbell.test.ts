import { describe, expect, it } from 'vitest'
import {
  deadlineEntry,
  deliveryEntry,
  jobDoorbell,
  parseDoorbell,
  webhookDoorbell,
} from '../../src/jobs/doorbell.ts'
import { providerQueue, queueName, webhookQueue } from '../../src/queue/doorbells.ts'
import { newJobId } from '../../src/redis/keys.ts'

const jobId = newJobId(3, 1_765_000_000_000)

describe('doorbells', () => {
  it.each([
    [jobDoorbell(jobId, 12, 345), { kind: 'job', jobId, hop: 12, generation: 345 }],
    [deliveryEntry(jobId, 9), { kind: 'delivery', jobId, attempt: 9 }],
    [webhookDoorbell(jobId, 9), { kind: 'webhook', jobId, attempt: 9 }],
    [deadlineEntry(jobId), { kind: 'deadline', jobId }],
  ])('%s reads back as it was written', (name, doorbell) => {
    expect(parseDoorbell(name)).toEqual(doorbell)
    // BullMQ refuses ids that are integers or hold a colon.
    expect(name).not.toMatch(/^\d+$|:/)
  })

  it('no provider can have the webhooks’ queue, and each queue has a Redis Cluster slot of its own', () => {
    expect(providerQueue('webhooks')).not.toBe(webhookQueue)
    expect(queueName(providerQueue('a'))).toBe('{provider.a}')
  })
})
