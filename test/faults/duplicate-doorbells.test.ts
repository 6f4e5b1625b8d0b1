import { Queue } from 'bullmq'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { providerQueue, queueName } from '../../src/queue/doorbells.ts'
import { parseRedisUrl } from '../../src/redis/address.ts'
import { openRig, type Rig, submitted } from './rig.ts'

let rig: Rig
let queue: Queue
beforeEach(async () => {
  rig = await openRig()
  const { url, prefix } = rig.redis
  queue = new Queue(queueName(providerQueue('first')), { connection: parseRedisUrl(url), prefix })
})
afterEach(async () => {
  await queue.close()
  await rig.close()
})

const users = Array.from({ length: 20 }, (_, i) => `user-${i}`)

/** The doorbell that a job waits for, again and under names of its own, and some that it never had. */
const ringWildly = (ids: readonly string[]) =>
  queue.addBulk(
    ids
      .flatMap(id => [`${id}.0.0`, `${id}.0.0.a`, `${id}.0.0.b`, `${id}.0.1`, `${id}.1.0`, `${id}.w.0`])
      .map(jobId => ({ name: 'j', data: {}, opts: { jobId, removeOnComplete: true } })),
  )

const isDrained = async () => {
  const { wait, active, prioritized } = await queue.getJobCounts('wait', 'active', 'prioritized')
  return wait! + active! + prioritized! === 0
}

describe('duplicate doorbells', () => {
  it('makes one call for a job whose doorbell rings many times: before, while and after it runs', async () => {
    const { site, client, first } = rig
    first.script({ latency: { kind: 'fixed', ms: 300 } })
    const ids = await Promise.all(users.map(user => submitted(client, { model: 'plain', user })))
    await ringWildly(ids)
    const workers = Promise.all([site.worker('first'), site.worker('first')])
    // The one that is ready first may be done before the other is.
    await until(() => first.calls.inFlight > 0)
    await ringWildly(ids)
    await workers
    const jobs = await Promise.all(ids.map(id => client.ended(id)))
    await ringWildly(ids)
    await until(isDrained)

    expect(jobs.map(job => job.attempts.map(a => a.verdict))).toEqual(users.map(() => ['ok']))
    expect(await Promise.all(ids.map(client.read))).toEqual(jobs)
    expect(first.calls.identities).toEqual(Object.fromEntries(users.map(user => [user, 1])))
  })
})
