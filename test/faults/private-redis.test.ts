import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Deployment } from '../../harness/deployment.ts'
import { until } from '../../harness/until.ts'
import { recordPathIn } from '../../src/redis/dev/owner.ts'
import { isRedisServer } from '../../src/redis/dev/process-check.ts'
import { readServerRecord } from '../../src/redis/dev/server-record.ts'
import { openBaton } from '../support/open-baton.ts'
import { createClient } from './client.ts'

let site: Deployment
beforeEach(async () => {
  // Neither a config nor a REDIS_URL: what `npm start` meets on a bare machine.
  site = await openBaton({ level: 'processes', config: null, env: { PORT: '0' } })
})
afterEach(() => site.close())

const startAll = async () => {
  const all = site.run()
  const { url } = await all.logged('api listening')
  await all.logged('started')
  return { all, url: url as string }
}

/** Whether the folder's server runs, or the watchdog that would end it. */
const redisRuns = async (): Promise<boolean> => {
  const record = await readServerRecord(recordPathIn(join(site.dir, '.baton', 'redis')))
  if (record?.pid && (await isRedisServer(record.pid, Number(new URL(record.url).port)))) return true
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'args='])
  return stdout.includes(site.dir)
}

describe('a process with a private Redis', () => {
  it('takes its private Redis along when it stops, and finds its jobs again when it starts', async () => {
    const first = await startAll()
    expect(await redisRuns()).toBe(true)
    let { url } = first
    const client = createClient(() => url)
    const id = await client.submit({ model: 'gpt-4', user: 'someone' })
    const job = await client.ended(id!)
    expect(job.status).toBe('succeeded')
    first.all.signal('SIGTERM')
    expect(await first.all.exited).toEqual({ code: 0, signal: null })
    expect(await redisRuns()).toBe(false)

    const second = await startAll()
    url = second.url
    expect(await client.read(id!)).toEqual(job)
    await client.close()
  })

  it('leaves no Redis behind when it is killed', async () => {
    const { all } = await startAll()
    await all.kill()
    await until(async () => !(await redisRuns()), 5_000)
  })

  it('leaves no Redis behind when it is stopped during its start', async () => {
    for (const afterMs of [150, 250, 350, 450]) {
      const all = site.run()
      await delay(afterMs)
      all.signal('SIGTERM')
      await all.exited
      expect(await redisRuns()).toBe(false)
    }
  })
})
