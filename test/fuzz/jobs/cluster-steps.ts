import fc from 'fast-check'
import { placeOf } from '../../../src/domain/place.ts'
import { parseDoorbell } from '../../../src/jobs/doorbell.ts'
import type { JobRecord } from '../../../src/jobs/record.ts'
import { reconcileRecords } from '../../../src/queue/reconciler.ts'
import { sweep } from '../../../src/queue/sweeper.ts'
import { isOver } from './model.ts'
import { queues } from './rig.ts'
import { event, forget, pick, step, type World } from './world.ts'

// What goes on beside clients and workers: sweepers, the reconciler, and what befalls Redis.

export const sweepAll = async ({ parts }: World): Promise<void> => {
  await sweep(parts)
}

export const reconcileAll = async ({ parts, model, store }: World, only = model.all()): Promise<void> => {
  const records = await store.readHeads(only.map(({ id }) => id))
  await reconcileRecords(
    parts,
    records.filter(record => record !== null),
  )
}

const sweepNow = fc.constant(event('sweep', sweepAll))
const reconcileNow = fc.constant(event('reconciler', world => reconcileAll(world)))

/** It took what is due, and died. */
const sweepAndDie = fc.constant(
  event('take what is due and die', async ({ rig }) => {
    await rig.schedule.takeDue(200, rig.clock.nowMs + 5_000)
  }),
)

/** It rang, and died before it took the doorbell off the schedule. */
const ringAndDie = pick.map(which =>
  step(
    'ring and die',
    which,
    ({ model }) => model.all().filter(job => !isOver(job) && job.state !== 'running'),
    async ({ rig }, { id, hop, generation, provider }) => {
      const entry = `${id}.${hop}.${generation}`
      const [stands] = await rig.schedule.has([entry])
      if (!stands) return
      const place = placeOf((await rig.store.read(id))!)
      await rig.doorbells.ring({ queue: `provider.${provider}`, doorbell: entry, place })
      await rig.schedule.add(entry, rig.clock.nowMs)
    },
  ),
)

/** Stands still after it read the records, for as long as others please; then it goes on with what it knew. */
const sleepIn = async (world: World, what: string, work: (slowed: World['parts']) => Promise<unknown>) => {
  const { parts, sleepers } = world
  const fallsAsleep = Promise.withResolvers<void>()
  const wakes = Promise.withResolvers<void>()
  const readHeads = async (ids: readonly string[]): Promise<readonly (JobRecord | null)[]> => {
    const records = await parts.store.readHeads(ids)
    fallsAsleep.resolve()
    await wakes.promise
    return records
  }
  const working = work({ ...parts, store: { ...parts.store, readHeads } })
  await Promise.race([fallsAsleep.promise, working])
  sleepers.push({
    what,
    wake: async () => {
      wakes.resolve()
      await working
    },
  })
}

const sleepingSweep = fc.constant(
  event('a sweeper falls asleep', world => sleepIn(world, 'sweeper', parts => sweep(parts))),
)
const sleepingReconciler = fc.constant(
  event('a reconciler falls asleep', world =>
    sleepIn(world, 'reconciler', async parts => {
      const records = await parts.store.readHeads(world.model.all().map(({ id }) => id))
      await reconcileRecords(
        parts,
        records.filter(record => record !== null),
      )
    }),
  ),
)

export const wakeUp = pick.map(which =>
  step(
    'wake up',
    which,
    ({ sleepers }) => sleepers,
    async ({ sleepers, couriers }, sleeper) => {
      forget(sleepers, sleeper)
      await sleeper.wake()
      // A sweeper may take the lease of a delivery that is new for the one that it saw end.
      for (const courier of couriers) courier.leasedUntilMs = 0
    },
  ),
)

/** An operator empties a queue, or Redis lost it. */
const loseRings = fc.constantFrom(...queues).map(queue =>
  event(`lose the rings of ${queue}`, async ({ rig, model }) => {
    const lost = await rig.ringing(queue)
    await rig.loseRings(queue)
    for (const name of lost) {
      const doorbell = parseDoorbell(name)
      const job = model.jobs.get(doorbell.jobId)
      const [stands] = await rig.schedule.has([name])
      if (!job || stands) continue
      if (
        doorbell.kind === 'job' ? !isOver(job) && job.state !== 'running' : job.delivery?.status === 'pending'
      )
        job.isAdrift = true
    }
  }),
)

const restart = fc.constant(event('Redis dies and comes back', ({ rig }) => rig.restart()))

export const clusterSteps = {
  sweepNow,
  reconcileNow,
  sweepAndDie,
  ringAndDie,
  sleepingSweep,
  sleepingReconciler,
  wakeUp,
  loseRings,
  restart,
}
