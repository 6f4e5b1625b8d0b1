import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { createTelemetry } from '../../src/telemetry/telemetry.ts'
import { createDeliverWebhook, type DeliverySource } from '../../src/webhooks/deliver-webhook.ts'
import type { DeliveryResult } from '../../src/webhooks/deliveries.ts'
import { createReceivers } from '../../src/webhooks/receivers.ts'
import { startReceiver } from './receiver.ts'
import { secret, startSender } from './sending.ts'

const nowMs = 1_765_000_000_000

/** One delivery whose record stands here, to a receiver that other deliveries have found to be down. */
const deliver = async (url: string, held: number | null) => {
  const results: DeliveryResult[] = []
  const holds: number[] = []
  const fields = { webhook: JSON.stringify({ url }), ...(held !== null && { held: String(held) }) }
  const source: DeliverySource = {
    idName: 'jobId',
    announcement: () => ({ webhook: { url }, event: { id: 'evt_1', type: 'job.succeeded', json: '{}' } }),
    deliveries: {
      takeDelivery: async () => fields,
      renewDelivery: async () => undefined,
      recordDelivery: async (_id, _attempt, result) => results.push(result) > 0,
      holdDelivery: async (_id, _attempt, dueAtMs) => holds.push(dueAtMs) > 0,
      reschedule: async () => undefined,
      recoverDelivery: async () => false,
      redeliver: async () => false,
    },
  }
  const breaker = { failures: 5, resetMs: 10_000, maxResetMs: 120_000 }
  const parts = { now: () => nowMs, random: () => 0.5 }
  const receivers = createReceivers({ places: 10, breaker, ...parts })
  receivers.shut(new URL(url).origin, nowMs + 30_000)
  const log = pino({ level: 'silent' })
  const sender = startSender()
  const answer = createDeliverWebhook({
    source,
    sender,
    receivers,
    defaultSecret: secret,
    telemetry: createTelemetry(),
    log,
    ...parts,
  })
  await answer('job_1', 0, new AbortController().signal, () => undefined)
  return { results, holds }
}

describe('a held delivery', () => {
  test('a delivery to a receiver that is down waits in the schedule, and is no attempt', async () => {
    const receiver = await startReceiver()
    for (const held of [null, nowMs - 299_999]) {
      const { results, holds } = await deliver(receiver.url, held)
      expect(results).toEqual([])
      expect(holds).toEqual([nowMs + 30_000])
    }
    expect(receiver.deliveries).toEqual([])
  })

  test('one that was held for 5 minutes counts as failed, so that it comes to an end', async () => {
    const receiver = await startReceiver()
    const { results, holds } = await deliver(receiver.url, nowMs - 300_000)
    expect(results).toEqual([{ status: 'pending', reason: 'unavailable', nextAtMs: nowMs + 5_000 }])
    expect(holds).toEqual([])
    expect(receiver.deliveries).toEqual([])
  })
})
