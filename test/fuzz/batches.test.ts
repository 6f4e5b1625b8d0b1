import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { openBatches } from '../batches/store/batch-fixture.ts'
import { hasEnded } from './batches/model.ts'
import {
  anyStep,
  cancelJob,
  claimJob,
  collectLines,
  endBatch,
  feedLines,
  finishJob,
  takeBatch,
  writeLines,
} from './batches/steps.ts'
import { linesInFiles, nothingLeft, openWorld, type World } from './batches/world.ts'
import { patienceMs, runs } from './runs.ts'

const fixture = openBatches()
afterAll(() => fixture.close())

/** Everybody dies, and one good feeder with good workers takes the batch to its end. */
const drive = async (world: World): Promise<void> => {
  const { batch, claims, feeders } = world
  fixture.clock.nowMs += 60_000
  feeders.length = 0
  claims.length = 0
  if (hasEnded(batch)) return
  const feeder = (await takeBatch(world))!
  while (!hasEnded(batch)) {
    if (feeder.fed < batch.total) await feedLines(world, feeder, [null, null, null])
    for (const [number, end] of batch.jobs) {
      if (end !== null) continue
      await claimJob(world, number)
      // One that a dead worker holds: how it is taken from that one is not what this is about.
      if (claims.length === 0) await cancelJob(world, number)
      else await finishJob(world, 0, true)
    }
    await writeLines(world, feeder, 100)
    if (feeder.written) await collectLines(world, feeder)
    if (batch.collected.size === batch.total) await endBatch(world, feeder)
  }
}

describe('random batches', () => {
  it('a batch has each of its lines once, whoever feeds and collects it, and dies where', {
    timeout: patienceMs,
  }, async () => {
    const total = fc.integer({ min: 1, max: 14 })
    const steps = fc.commands([anyStep], { maxCommands: 120, size: 'max' })
    await fc.assert(
      fc.asyncProperty(total, fc.boolean(), steps, async (lines, hasWebhook, happenings) => {
        const world = await openWorld(fixture, lines, hasWebhook)
        await fc.asyncModelRun(() => ({ model: world, real: world }), happenings)
        await drive(world)
        const numbers = (await linesInFiles(world)).toSorted((a, b) => a - b)
        expect(numbers).toEqual(Array.from({ length: lines }, (_, i) => i + 1))
        await nothingLeft(world)
      }),
      runs(60),
    )
  })
})
