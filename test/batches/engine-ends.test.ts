import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createWebhookReceiver, type WebhookReceiver } from '../../src/sim/webhook-receiver.ts'
import { line, lines, onePiece } from './batch-desk.ts'
import { type BatchRig, openBatchRig } from './batch-rig.ts'

const secret = `whsec_${randomBytes(32).toString('base64')}`

let rig: BatchRig
let receiver: WebhookReceiver
beforeEach(async () => {
  receiver = createWebhookReceiver({ secret })
  await receiver.start()
  rig = await openBatchRig({
    feeders: 0,
    webhooks: true,
    config: { webhooks: { secret, allowed_networks: ['127.0.0.0/8'] } },
  })
})
afterEach(async () => {
  await rig.close()
  await receiver.stop()
})

describe('ends of batches', () => {
  it('a batch that was cancelled before anyone looked at it says of each line that it did not run', async () => {
    const id = await rig.batch(lines(3, 'plain'))
    await rig.batches.cancel(id)
    await rig.feeder()
    const batch = await rig.ended(id)
    expect(batch).toMatchObject({ status: 'cancelled', total: 3, counts: { succeeded: 0, canceled: 3 } })
    expect((await rig.lines(batch)).error).toHaveLength(3)
    expect(rig.first.calls.calls).toBe(0)
  })

  it('a batch that was cancelled and cannot be read is cancelled all the same', async () => {
    const id = await rig.batch('nonsense')
    await rig.batches.cancel(id)
    await rig.feeder()
    expect(await rig.ended(id)).toMatchObject({ status: 'cancelled', total: null, collected: 0 })
  })

  it('a batch whose window passed before anyone looked at it says of each line that it expired', async () => {
    const id = await rig.batch(lines(3, 'plain'), { expiresAtMs: Date.now() - 1 })
    await rig.feeder()
    const batch = await rig.ended(id)
    expect(batch).toMatchObject({ status: 'expired', counts: { expired: 3 } })
    expect(rig.first.calls.calls).toBe(0)
  })

  it('every end is told once by a webhook that shows the batch, under an id of its own', async () => {
    await rig.feeder()
    const webhook = { url: receiver.url }
    const completed = await rig.batch(lines(2, 'plain'), { webhook, metadata: { job: 'nightly' } })
    const failed = await rig.batch('nonsense', { webhook })
    const expired = await rig.batch(line('a', 'hang'), { webhook, expiresAtMs: Date.now() + 500 })
    const cancelled = await rig.batch(line('a', 'hang'), { webhook })
    await rig.reached(cancelled, batch => batch.cursor.fed === 1)
    await rig.batches.cancel(cancelled)

    await until(() => receiver.events.length === 4)
    const events = receiver.events as { id: string; type: string; data: { id: string } }[]
    expect(new Map(events.map(e => [e.data.id, e.type]))).toEqual(
      new Map([
        [completed, 'batch.completed'],
        [failed, 'batch.failed'],
        [expired, 'batch.expired'],
        [cancelled, 'batch.cancelled'],
      ]),
    )
    expect(events.find(e => e.data.id === completed)).toMatchObject({
      id: completed.replace('batch_', 'evt_'),
      object: 'event',
      data: {
        object: 'batch',
        status: 'completed',
        request_counts: { total: 2, completed: 2, failed: 0 },
        metadata: { job: 'nightly' },
      },
    })
    await until(async () => (await rig.read(completed)).delivery?.status === 'delivered')
    expect([...receiver.countById.values()]).toEqual([1, 1, 1, 1])
  })

  it('a batch whose input is away waits for it', async () => {
    const id = await rig.batch(lines(3, 'plain'))
    const { input } = await rig.read(id)
    const key = input[0]!.key
    await rig.blobs.remove(key)
    await rig.feeder()
    await until(async () => (await rig.read(id)).status === 'validating')
    await rig.blobs.write(key, onePiece(lines(3, 'plain')))
    expect(await rig.ended(id)).toMatchObject({ status: 'completed', counts: { succeeded: 3 } })
  })

  describe('a batch whose input does not come back until its deadline', () => {
    const fault = { code: 'input_lost', param: null, line: null }
    const expiresAtMs = Date.now() - 1

    it('fails where it was not validated', async () => {
      const gone = { key: `${'0'.repeat(26)}/input`, bytes: 100 }
      const id = await rig.batch(line('a', 'plain'), { input: [gone], expiresAtMs })
      await rig.feeder()
      expect(await rig.ended(id)).toMatchObject({ status: 'failed', faults: [fault], collected: 0 })
    })

    it('ends with the results of the lines that were read', async () => {
      const key = `${'0'.repeat(25)}1/input`
      const params = { model: 'claude', max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] }
      const text = `${JSON.stringify({ custom_id: 'a', params })}\n`
      const { bytes } = await rig.blobs.write(key, onePiece(text))
      const gone = { key: `${'0'.repeat(26)}/more`, bytes: 100 }
      const id = await rig.batch('', {
        ...{ dialect: 'anthropic', endpoint: '/v1/messages', total: 250, apiVersion: '2023-06-01' },
        ...{ input: [{ key, bytes }, gone], expiresAtMs },
      })
      await rig.feeder()
      expect(await rig.ended(id)).toMatchObject({ status: 'failed', faults: [fault], collected: 1 })
    })
  })
})
