import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LogLine } from '../../harness/child.ts'
import { ask } from '../../harness/redis/node.ts'
import { until } from '../../harness/until.ts'
import { parseInfo } from '../../src/redis/preflight.ts'
import { call } from '../api/test-api.ts'
import { line, openDesk } from '../batches/batch-desk.ts'
import { type OwnRedis, ownRedis } from '../support/redis.ts'
import { openRig, type Rig } from './rig.ts'

// Nobody lifts the limit here: what fills Redis must also end, and be forgotten, by itself.

let server: OwnRedis
let rig: Rig
beforeEach(async () => {
  server = await ownRedis()
  rig = await openRig({
    redisUrl: server.url,
    // Longer than the requests.
    answerBytes: 24_000,
    config: { jobs: { lease: '1s', retention: '6s' }, webhooks: { allowed_networks: ['127.0.0.0/8'] } },
  })
})
afterEach(async () => {
  await rig.close()
  await server.stop()
})

const port = (): number => Number(new URL(server.url).port)
const usedBytes = async (): Promise<number> =>
  Number(parseInfo((await ask(port(), redis => redis.info('memory'))) ?? '').get('used_memory'))
const limitTo = (bytes: number) => ask(port(), redis => redis.config('SET', 'maxmemory', bytes))
const get = (path: string) => call({ url: rig.apiUrl }, 'GET', path)
const post = (key: string) =>
  call({ url: rig.apiUrl }, 'POST', '/v1/jobs', {
    body: { body: { model: 'plain', user: key, messages: [{ role: 'user', content: 'x'.repeat(12_000) }] } },
    headers: { 'idempotency-key': key },
  })

/** Jobs until no more are taken: at last one by one, as who looks twice a second would be overrun by a test without a network. */
const submitAll = async (limit: number): Promise<string[]> => {
  const ids: string[] = []
  for (;;) {
    const length = (await usedBytes()) > 0.7 * limit ? 1 : 10
    const answers = await Promise.all(Array.from({ length }, (_, i) => post(`k${ids.length + i}`)))
    const taken = answers.filter(({ status }) => status === 202).map(({ json }) => json.id as string)
    ids.push(...taken)
    if (taken.length < answers.length) return ids
  }
}

const lines = (process: { readonly lines: readonly LogLine[] }, event: string) =>
  process.lines.filter(line => line.event === event)

describe('a Redis at its `maxmemory`', () => {
  it('refuses new jobs in time, ends all that it accepted, and takes new ones when those are forgotten', async () => {
    const limit = (await usedBytes()) + 12_000_000
    await limitTo(limit)
    const ids = await submitAll(limit)
    expect(ids.length).toBeGreaterThan(50)
    expect(await usedBytes()).toBeLessThan(limit)

    const refused = await post('new')
    expect([refused.status, refused.json.error.code]).toEqual([503, 'storage_full'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await post('k0')).json.id).toBe(ids[0])
    expect((await get('/readyz')).json).toEqual({ status: 'ready', refusing: 'storage_full' })
    expect(await (await fetch(`${rig.apiUrl}/metrics`)).text()).toContain('\nbaton_redis_full 1\n')

    // Every process that works on it starts on a Redis that is full, and fuller than that with each answer.
    await rig.site.worker('first')
    let most = 0
    const watching = until(async () => {
      most = Math.max(most, await usedBytes())
      return rig.first.calls.calls >= ids.length
    })
    await watching
    await until(async () => (await get('/readyz')).json.refusing === undefined)
    expect(most).toBeGreaterThan(limit)
    expect(rig.first.calls.calls).toBe(ids.length)
    const accepted = await until(async () => {
      const answer = await post('after')
      return answer.status === 202 && answer
    })
    expect((await rig.client.ended(accepted.json.id as string)).status).toBe('succeeded')
    expect(lines(rig.api, 'redis.full').length).toBeGreaterThan(0)
    expect(lines(rig.api, 'redis.full').length).toBeLessThan(5)
    expect(lines(rig.api, 'redis.freed').length).toBeGreaterThan(0)
  }, 120_000)

  it('feeds no lines of a batch, and goes on with it when there is room', async () => {
    // What is left above `redis.full_at` has room for the scripts and connections of the next processes.
    const limit = (await usedBytes()) + 12_000_000
    await limitTo(limit)
    await submitAll(limit)
    const desk = openDesk(rig.redis, join(rig.site.dir, '.baton/blobs'))
    const rows = Array.from({ length: 20 }, (_, i) => `row-${i}`)
    try {
      await rig.site.worker('batches')
      const id = await desk.batch(rows.map(row => line(row, 'plain')).join(''))
      await desk.reached(id, batch => batch.total === rows.length)
      // The worker that ends the jobs takes a second to start: time for a feeder that does not wait.
      await rig.site.worker('first')
      expect((await desk.read(id)).cursor.fed).toBe(0)
      const batch = await desk.ended(id)
      expect((await desk.lines(batch)).output.map(({ custom_id }) => custom_id).sort()).toEqual(
        rows.toSorted(),
      )
    } finally {
      await desk.close()
    }
  }, 120_000)
})
