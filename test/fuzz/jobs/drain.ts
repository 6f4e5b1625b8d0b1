import { expect } from 'vitest'
import { answer } from '../../jobs/store-fixture.ts'
import { indexedJobs } from '../../support/indexed-jobs.ts'
import { agree } from './agree.ts'
import { reconcileAll, sweepAll } from './cluster-steps.ts'
import { takeWebhooks } from './delivery-steps.ts'
import { isOver } from './model.ts'
import { queues, shards } from './rig.ts'
import { answerDoorbell } from './worker-steps.ts'
import type { World } from './world.ts'

const isSettled = ({ model }: World): boolean =>
  model.all().every(job => isOver(job) && job.delivery?.status !== 'pending')

/** Good workers answer all that rings. */
const workOn = async (world: World, queue: string): Promise<void> => {
  const { rig, store } = world
  for (;;) {
    const chunk = await rig.takeChunk(queue, `chunk-${world.tokens++}`)
    if (!chunk) return
    const ringer = { chunk, left: chunk.doorbells }
    while (ringer.left.length > 0) {
      const runner = await answerDoorbell(world, ringer)
      if (runner) await store.finalise(runner.claim, answer('at last'))
    }
    await rig.endChunk(chunk)
  }
}

const deliverAll = async (world: World): Promise<void> => {
  const { store, couriers } = world
  while (await takeWebhooks(world)) {
    for (const { jobId, attempt } of couriers.splice(0))
      await store.recordDelivery(jobId, attempt, { status: 'delivered', reason: '200' })
  }
}

/** Nobody works any more: each job that is left comes to its deadline. */
const runOut = async (world: World): Promise<void> => {
  const { rig, model } = world
  const left = model.all().filter(job => !isOver(job))
  rig.clock.nowMs += 86_400_000
  // The reconciler puts in what has no timer yet; a running job is spared at first, and what a dead sweeper took comes again.
  for (let round = 0; round < 3; round++) {
    await reconcileAll(world)
    rig.clock.nowMs += 10_000
    await sweepAll(world)
  }
  expect(left.map(({ state }) => state)).toEqual(left.map(() => 'expired'))
}

/** Good workers, sweepers, and the reconciler for what was set adrift, bring each job to its end, and each webhook. */
const workOff = async (world: World): Promise<void> => {
  const { rig, model } = world
  for (let round = 0; round === 0 || !isSettled(world); round++) {
    expect(round, 'rounds until all is settled').toBeLessThan(20)
    rig.clock.nowMs += 61_000
    await sweepAll(world)
    await reconcileAll(
      world,
      model.all().filter(job => job.isAdrift),
    )
    for (const queue of queues.slice(0, -1)) await workOn(world, queue)
    await deliverAll(world)
  }
}

/** Everybody dies, and only what is in Redis goes on. */
export const drain = async (world: World, isAnyoneLeft: boolean): Promise<void> => {
  const { rig, model } = world
  for (const sleeper of world.sleepers.splice(0)) await sleeper.wake()
  for (const { chunk } of [...world.ringers, ...world.orphans]) await rig.loseChunk(chunk)
  const everybody = [world.ringers, world.runners, world.frozen, world.couriers, world.orphans, world.late]
  for (const all of everybody) all.length = 0
  if (!isAnyoneLeft) await runOut(world)
  await workOff(world)
  await agree(rig, model)
  const listed = await indexedJobs(rig.redis, rig.keys)
  expect(listed.sort()).toEqual([...model.jobs.keys()].sort())
}

/** Time goes by until nothing is kept for anybody: Redis drops what has an end, and sweepers and reconcilers what is left. */
export const outlast = async ({ rig, parts, ...world }: World): Promise<void> => {
  const { redis, keys, clock } = rig
  const trim = rig.newTrim()
  for (const key of await redis.keys('*')) if ((await redis.pttl(key)) >= 0) await redis.del(key)
  for (let round = 0; round < 3; round++) {
    clock.nowMs += 86_400_000
    await sweepAll({ ...world, rig, parts })
    await trim.next(200)
  }
  for (const shard of shards) expect(await redis.xlen(keys.index(shard))).toBe(0)
  const left = await redis.keys('*')
  // What a queue and a reconciler know of themselves, whatever jobs there were.
  const ofNobody = /:(?:index|kinds|reconciler|marker|ready)$/
  expect(left.filter(key => !ofNobody.test(key))).toEqual([])
}
