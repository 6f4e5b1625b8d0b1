import type { AppContext } from '../../src/context/context.ts'
import { createLiveWalk } from '../../src/jobs/live-walk.ts'
import { createSchedule } from '../../src/jobs/schedule.ts'
import { lostOf, reconcileRecords, walkedPerShard } from '../../src/queue/reconciler.ts'

/** Young jobs are left out; these shall not be. */
const laterMs = 600_000

/**
 * Lets the reconciler look at jobs that wait, `count` of them or a few more, as fast as it can; walks again over the same
 * where there are fewer. Throws when it finds none.
 */
export const reconcile = async (context: AppContext, count: number): Promise<number> => {
  const { redis, run, keys, clock, store, doorbells, deliveries, log } = context
  const now = () => context.now() + laterMs
  const schedule = createSchedule(redis, run, keys, clock)
  const { recoverDelivery } = deliveries.jobs
  const parts = { schedule, store, doorbells, recoverDelivery, log, now }
  const walkFrom = () => createLiveWalk({ redis, run, keys, now, aheadMs: clock.aheadMs })
  let walk = walkFrom()
  let looked = 0
  for (let inRound = 0; looked < count; ) {
    const adrift = await walk.next(walkedPerShard)
    const records = await store.readHeads(await lostOf(doorbells, adrift))
    await reconcileRecords(
      parts,
      records.filter(record => record !== null),
    )
    looked += adrift.length
    inRound += adrift.length
    if (adrift.length > 0) continue
    if (inRound === 0) throw new Error('the reconciler found no job that waits')
    walk = walkFrom()
    inRound = 0
  }
  return looked
}
