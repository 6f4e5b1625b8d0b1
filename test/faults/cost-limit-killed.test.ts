import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { lines, openDesk, rows } from '../batches/batch-desk.ts'
import { openRig } from './rig.ts'

describe('a cost limit with a killed feeder', () => {
  it('a batch keeps to its limit, with a line for each, though its feeder is killed again and again', async () => {
    const rig = await openRig({
      config: { models: { plain: { provider: 'first', price: { input: 1, output: 2 } } } },
    })
    const desk = openDesk(rig.redis, join(rig.site.dir, '.baton/blobs'))
    try {
      await rig.site.worker('first')
      const count = 300
      // Half of what these lines cost.
      const maxCostUsd = 0.003
      const id = await desk.batch(lines(count, 'plain'), { maxCostUsd })
      for (let kills = 0; kills < 3; kills++) {
        const feeder = await rig.site.worker('batches')
        const { fed } = (await desk.read(id)).cursor
        await desk.reached(id, batch => batch.cursor.fed > fed || batch.collected === count)
        await delay(randomInt(150))
        await feeder.kill()
      }
      await rig.site.worker('batches')
      const batch = await desk.ended(id)
      const { output, error } = await desk.lines(batch)
      // What is under way is an estimate: later lines have a longer name, and cost a hair more.
      expect(batch.costUsd).toBeLessThan(1.1 * maxCostUsd)
      expect(batch.costUsd).toBeGreaterThan(0.9 * maxCostUsd)
      expect([...output, ...error].map(l => l.custom_id).sort()).toEqual(rows(count))
      expect(new Set(error.map(l => l.error?.code))).toEqual(new Set(['cost_limit_reached']))
      expect(batch).toMatchObject({
        status: 'completed',
        counts: { succeeded: output.length, errored: error.length },
      })
    } finally {
      await desk.close()
      await rig.close()
    }
  })
})
