import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BatchRecord } from '../../src/batches/record.ts'
import { type BatchDesk, line, openDesk } from '../batches/batch-desk.ts'
import { type OwnRedis, ownRedis } from '../support/redis.ts'
import { lockMs, openRig, type Rig } from './rig.ts'

let server: OwnRedis
let rig: Rig
let desk: BatchDesk
beforeEach(async () => {
  server = await ownRedis()
  rig = await openRig({ redisUrl: server.url })
  desk = openDesk(rig.redis, join(rig.site.dir, '.baton/blobs'))
  rig.first.script({ latency: { kind: 'uniform', minMs: 5, maxMs: 50 } })
})
afterEach(async () => {
  await desk.close()
  await rig.close()
  await server.stop()
})

const count = 6_000
/** Mixed models, so that lines end in any order. */
const input = Array.from({ length: count }, (_, i) => line(`row-${i}`, i % 3 ? 'plain' : 'spare')).join('')
const rows = Array.from({ length: count }, (_, i) => `row-${i}`).sort()

const isWhole = async (batch: BatchRecord): Promise<void> => {
  const { output, error } = await desk.lines(batch)
  expect([...output, ...error].map(l => l.custom_id).sort()).toEqual(rows)
  expect(batch).toMatchObject({
    status: 'completed',
    total: count,
    collected: count,
    counts: { succeeded: output.length, errored: error.length, canceled: 0, expired: 0 },
  })
  expect(error).toEqual([])
}

describe('a batch whose processes are killed', () => {
  it('has one line for each of the input though its feeder is killed again and again', async () => {
    const { site } = rig
    await Promise.all([site.worker('first'), site.worker('second')])
    const id = await desk.batch(input)
    for (let kills = 0; kills < 6; kills++) {
      const feeder = await site.worker('batches')
      const before = (await desk.read(id)).cursor.fed
      // Once it holds the batch, at any moment.
      await desk.reached(id, batch => batch.cursor.fed > before || batch.collected === count)
      await delay(randomInt(150))
      await feeder.kill()
    }
    await site.worker('batches')
    await isWhole(await desk.ended(id))
  })

  it('has one line for each of the input though workers, feeders and Redis are killed', async () => {
    const { site } = rig
    let worker = await site.worker('first')
    let feeder = await site.worker('batches')
    await Promise.all([site.worker('second'), site.worker('batches')])
    const id = await desk.batch(input)
    for (const share of [0.1, 0.4, 0.7]) {
      await desk.reached(id, batch => batch.collected >= share * count)
      await worker.kill()
      worker = await site.worker('first')
      await delay(randomInt(300))
      await server.kill()
      await server.restart()
      await delay(randomInt(300))
      await feeder.kill()
      feeder = await site.worker('batches')
    }
    await isWhole(await desk.ended(id))
  })

  it('is not changed by a feeder that was taken for dead and comes back', async () => {
    const { site } = rig
    await Promise.all([site.worker('first'), site.worker('second')])
    const zombie = await site.worker('batches')
    const id = await desk.batch(input)
    const { collected } = await desk.reached(id, batch => batch.collected > 200)
    zombie.signal('SIGSTOP')
    await delay(lockMs)
    await site.worker('batches')
    await desk.reached(id, batch => batch.collected > collected + 500)
    zombie.signal('SIGCONT')
    await zombie.logged('batch is run by another process')
    await isWhole(await desk.ended(id))
  })
})
