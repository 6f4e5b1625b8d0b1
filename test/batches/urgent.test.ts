import { afterAll, beforeAll, expect, it } from 'vitest'
import { lines } from './batch-desk.ts'
import { type BatchRig, openBatchRig } from './batch-rig.ts'

let rig: BatchRig
beforeAll(async () => {
  // A number that does not grow: both batches are to run for a while.
  rig = await openBatchRig({ first: { concurrency: 50 } })
})
afterAll(() => rig.close())

const hourMs = 3_600_000

it('a batch that is near its deadline goes before one of the same tenant that is due earlier', async () => {
  rig.first.script({ latency: { kind: 'fixed', ms: 500 } })
  const relaxed = await rig.batch(lines(2_000, 'plain'), { expiresAtMs: Date.now() + hourMs })
  await rig.reached(relaxed, ({ counts }) => counts.succeeded > 200)
  // A day is left of a hundred.
  const urgent = await rig.batch(lines(150, 'plain'), {
    createdAtMs: Date.now() - 2_400 * hourMs,
    expiresAtMs: Date.now() + 24 * hourMs,
  })
  const ended = await rig.ended(urgent)
  expect(ended).toMatchObject({ status: 'completed', counts: { succeeded: 150 } })
  const { status, collected } = await rig.read(relaxed)
  expect(status).toBe('in_progress')
  expect(collected).toBeLessThan(1_800)
}, 60_000)
