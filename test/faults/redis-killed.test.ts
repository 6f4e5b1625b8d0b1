import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { isTerminal } from '../../src/domain/job.ts'
import { type OwnRedis, ownRedis } from '../support/redis.ts'
import type { Client, Order } from './client.ts'
import { openRig, type Rig } from './rig.ts'

let server: OwnRedis
let rig: Rig
beforeEach(async () => {
  server = await ownRedis()
  // No lease runs out while Redis is away, however busy the machine is: a job whose lease ended is rightly called again.
  rig = await openRig({ redisUrl: server.url, config: { jobs: { lease: '10s' } } })
})
afterEach(async () => {
  await rig.close()
  await server.stop()
})

const count = 300
const senders = 20

/** A client that repeats what was not answered 202, as its key allows. */
const submitPatiently = async (client: Client, order: Order): Promise<string> =>
  until(() => client.submit(order), 30_000)

/** Some of the load at a time, so that Redis dies in the midst of it. */
const submitAll = async (client: Client, users: readonly string[], ids: Map<string, string>) => {
  const left = [...users]
  const send = async () => {
    for (let user = left.pop(); user !== undefined; user = left.pop()) {
      ids.set(user, await submitPatiently(client, { model: 'chain', user, key: user }))
    }
  }
  await Promise.all(Array.from({ length: senders }, send))
}

describe('a Redis that is killed', () => {
  it('ends every accepted job once when Redis is killed twice under load and comes back', async () => {
    const { site, client, first, second } = rig
    first.script({ latency: { kind: 'uniform', minMs: 20, maxMs: 200 } })
    await Promise.all([site.worker('first'), site.worker('first'), site.worker('second')])
    const users = Array.from({ length: count }, (_, i) => `user-${i}`)
    const ids = new Map<string, string>()
    const sending = submitAll(client, users, ids)
    for (const share of [0.3, 0.7]) {
      await until(() => ids.size >= count * share)
      await server.kill()
      await server.restart()
    }
    await sending

    const jobs = await until(async () => {
      const all = await client.all()
      return all.every(job => isTerminal(job.status)) ? all : null
    }, 40_000)
    expect(jobs.map(job => job.id).sort()).toEqual([...ids.values()].sort())
    expect(new Set(jobs.map(job => job.status))).toEqual(new Set(['succeeded']))
    for (const job of jobs) expect(job.attempts.filter(a => a.verdict === 'ok')).toHaveLength(1)
    const calls = { ...second.calls.identities, ...first.calls.identities }
    expect(Object.keys(calls)).toHaveLength(count)
    // Only what was under way when Redis died may be called again: 2 workers of 50 calls, twice.
    const extra = Object.values(first.calls.identities).reduce((sum, n) => sum + n - 1, 0)
    expect(extra).toBeLessThanOrEqual(200)
  })
})
