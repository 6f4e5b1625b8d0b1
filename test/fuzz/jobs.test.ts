import fc from 'fast-check'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { clientSteps } from './jobs/client-steps.ts'
import { clusterSteps } from './jobs/cluster-steps.ts'
import { deliverySteps } from './jobs/delivery-steps.ts'
import { drain, outlast } from './jobs/drain.ts'
import { openRig, type Rig } from './jobs/rig.ts'
import { workerSteps } from './jobs/worker-steps.ts'
import { openWorld, type World } from './jobs/world.ts'
import { patienceMs, runs } from './runs.ts'

let rig: Rig
/** The run that is under way: fast-check leaves it alone when the time is up. */
let underWay: Promise<void> = Promise.resolve()
beforeAll(async () => {
  rig = await openRig(15_000)
})
afterAll(async () => {
  await underWay.catch(() => undefined)
  await rig.close()
})

const run = async (happenings: Iterable<Step>, isAnyoneLeft: boolean): Promise<void> => {
  const world = await openWorld(rig)
  await fc.asyncModelRun(() => ({ model: world, real: world }), happenings)
  await drain(world, isAnyoneLeft)
  await outlast(world)
}

type Step = fc.AsyncCommand<World, World>

const often = (weight: number, ...steps: fc.Arbitrary<Step>[]) =>
  steps.map(arbitrary => ({ weight, arbitrary }))

const { submit, wait, cancel, ringLate } = clientSteps
const { takeChunk, answerOne, endChunk, dieWithChunk, dropChunk, loseChunk, ...ofRunners } = workerSteps
const { freeze, loseLease, comeBack, ...ofHolders } = ofRunners
const { sweepNow, wakeUp, loseRings, restart, ...ofCluster } = clusterSteps

const anyStep = fc.oneof(
  ...often(300, takeChunk, answerOne, comeBack),
  ...often(150, endChunk, sweepNow, loseLease),
  ...often(100, submit, wait, ...Object.values(ofHolders), ...Object.values(deliverySteps)),
  ...often(50, freeze, ringLate, wakeUp, loseChunk),
  ...often(25, dieWithChunk, ...Object.values(ofCluster)),
  ...often(10, cancel, dropChunk, loseRings),
  // Half a second each.
  ...often(1, restart),
)

describe('random jobs', () => {
  it('a job comes to one end, whoever does what when, and dies where', { timeout: patienceMs }, async () => {
    const steps = fc.commands([anyStep], { maxCommands: 250, size: 'max' })
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), (happenings, isAnyoneLeft) => {
        underWay = run(happenings, isAnyoneLeft)
        return underWay
      }),
      runs(80),
    )
  })
})
