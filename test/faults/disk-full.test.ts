import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { canLimitDisk, fillDisk, fillDiskOf, freeDisk, launcher } from '../../chaos/cluster/disk-limit.ts'
import type { Child } from '../../harness/child.ts'
import { until } from '../../harness/until.ts'
import { startPrivateRedis } from '../../src/redis/dev/server.ts'
import { field, file, postForm } from '../api/forms.ts'
import { call } from '../api/test-api.ts'
import { line, openDesk } from '../batches/batch-desk.ts'
import { openRig, type Rig, submitted } from './rig.ts'

// The disk is full for one process at a time: the kernel refuses to let its files grow.

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const open = async (options: Parameters<typeof openRig>[0] = {}): Promise<Rig> => {
  const rig = await openRig(options)
  cleanups.push(rig.close)
  return rig
}

const events = ({ lines }: Child, event: string) => lines.filter(line => line.event === event)

describe.runIf(await canLimitDisk())('a disk that is full', () => {
  it('under the blob store refuses uploads, and holds a batch up until there is room again', async () => {
    const { site, redis, api, apiUrl } = await open()
    const blobsDir = join(site.dir, '.baton/blobs')
    const desk = openDesk(redis, blobsDir)
    cleanups.push(desk.close)
    const upload = () =>
      postForm({ url: apiUrl }, '/v1/files', [field('purpose', 'user_data'), file('some bytes')])

    await fillDiskOf(api.pid)
    for (let tries = 0; tries < 3; tries++) {
      const refused = await upload()
      expect([refused.status, refused.json.error.code]).toEqual([503, 'storage_full'])
    }
    await freeDisk(api.pid)
    expect((await upload()).status).toBe(200)
    expect(events(api, 'blob_store.failed')).toHaveLength(1)
    expect(events(api, 'blob_store.restored')).toHaveLength(1)

    const feeder = await site.worker('batches')
    await fillDiskOf(feeder.pid)
    await site.worker('first')
    const rows = Array.from({ length: 40 }, (_, i) => `row-${i}`)
    const id = await desk.batch(rows.map(row => line(row, 'plain')).join(''))
    await until(() => events(feeder, 'batch.delayed').length >= 2)
    expect(events(feeder, 'blob_store.failed')).toHaveLength(1)
    expect((await desk.read(id)).collected).toBe(0)
    await freeDisk(feeder.pid)
    const batch = await desk.ended(id)
    const { output } = await desk.lines(batch)
    expect(output.map(({ custom_id }) => custom_id).sort()).toEqual(rows.toSorted())
    expect(events(feeder, 'blob_store.restored')).toHaveLength(1)
    expect(await readdir(join(blobsDir, '.tmp'))).toEqual([])
  }, 120_000)

  it('under the log of Redis keeps what was acknowledged, and all goes on when there is room again', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'baton-disk-full-'))
    cleanups.push(() => rm(dir, { recursive: true, force: true }))
    const server = await startPrivateRedis({ dir, launcher, log: pino({ level: 'silent' }) })
    cleanups.push(server.stop)
    const { site, client, first, apiUrl } = await open({
      redisUrl: server.url,
      provider: { concurrency: 10 },
      // No lease runs out while nothing can be written, however busy the machine is.
      config: { jobs: { lease: '10s' } },
    })
    const worker = await site.worker('first')
    first.script({ latency: { kind: 'fixed', ms: 1_500 } })
    const users = Array.from({ length: 15 }, (_, i) => `user-${i}`)
    const ids = await Promise.all(users.map(user => submitted(client, { model: 'plain', user })))
    // Calls that end while nothing can be written keep their answers.
    await until(() => first.calls.inFlight === 10)
    await fillDisk(server.pid, dir)
    const post = () =>
      call({ url: apiUrl }, 'POST', '/v1/jobs', {
        body: { body: { model: 'plain', messages: [{ role: 'user', content: 'x' }] } },
      })
    await until(async () => (await post()).status === 503)
    expect((await post()).json.error.code).toBe('redis_unavailable')
    await until(() => first.calls.inFlight === 0 && events(worker, 'result.write_refused').length > 0)
    await freeDisk(server.pid)
    for (const id of ids) expect((await client.ended(id)).status).toBe('succeeded')
    const { identities } = first.calls
    expect(users.map(user => identities[user])).toEqual(users.map(() => 1))
    expect(events(worker, 'result.write_refused')).toHaveLength(1)
    expect(events(worker, 'result.writes_resumed')).toHaveLength(1)
    expect((await post()).status).toBe(202)
  }, 120_000)
})
