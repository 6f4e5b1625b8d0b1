import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type AcquiredRedis, acquireRedis } from '../../../src/redis/dev/acquire.ts'
import { probeRedis } from '../../../src/redis/dev/probe.ts'
import { isRedisServer } from '../../../src/redis/dev/process-check.ts'
import { testRedis } from '../../support/redis.ts'

const log = pino({ level: 'silent' })
const until = (condition: () => unknown) => vi.waitUntil(condition, { timeout: 10_000, interval: 10 })
const cleanups: (() => unknown)[] = []
let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'baton-acquire-'))
  cleanups.push(() => rm(dir, { recursive: true, force: true }))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function acquire(): Promise<AcquiredRedis> {
  const redis = await acquireRedis({ dir, log })
  cleanups.push(redis.stop)
  return redis
}

function connect(url: string): Redis {
  const redis = new Redis(url, { retryStrategy: null })
  redis.on('error', () => {})
  cleanups.push(() => redis.disconnect())
  return redis
}

interface Holder {
  readonly child: ChildProcess
  readonly url: string
  readonly owned: boolean
}

/** Another process of this machine that acquires the Redis of `dir`. */
async function startHolder(): Promise<Holder> {
  const script = join(import.meta.dirname, 'redis-holder.ts')
  // A group of its own, as a shell would make, so that a test can send it what Ctrl-C sends.
  const child = spawn(process.execPath, [script, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  cleanups.push(() => end(child, 'SIGKILL'))
  const [line] = await once(createInterface({ input: child.stdout! }), 'line')
  return { child, ...JSON.parse(line) }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

async function pidOf(url: string): Promise<number> {
  const answer = await probeRedis(url)
  return answer.state === 'ready' ? answer.pid : Number.NaN
}

const isGone = async (pid: number, url: string) => !(await isRedisServer(pid, Number(new URL(url).port)))

describe('Redis on a bare machine', () => {
  it('says what to do where its folder cannot be made', async () => {
    const file = join(dir, 'a-file')
    await writeFile(file, '')
    await expect(acquireRedis({ dir: join(file, 'redis'), log })).rejects.toThrow(
      /which cannot be made \(ENOTDIR\)\. Set REDIS_URL to a Redis that runs, or /,
    )
  })

  describe('acquiring a Redis', () => {
    it('takes a given URL and starts nothing', async () => {
      const { url } = testRedis()
      const redis = await acquireRedis({ url, dir, log })
      expect(redis).toMatchObject({ url, owned: false })
      await redis.stop()
      expect(await readdir(dir)).toEqual([])
      expect(await pidOf(url)).toBeGreaterThan(0)
    })

    it('starts one server for processes that start together', async () => {
      const holders = await Promise.all([startHolder(), startHolder(), startHolder()])
      expect(new Set(holders.map(holder => holder.url)).size).toBe(1)
      expect(holders.filter(holder => holder.owned)).toHaveLength(1)
    })

    it('leaves the server running when a process that shares it stops', async () => {
      const owner = await acquire()
      const guest = await startHolder()
      expect(guest.owned).toBe(false)
      await end(guest.child, 'SIGTERM')
      expect(await pidOf(owner.url)).toBeGreaterThan(0)
    })

    it('finds data and address again after an orderly stop, which may come twice', async () => {
      const first = await acquire()
      await connect(first.url).set('k', 'v')
      await Promise.all([first.stop(), first.stop()])
      expect((await probeRedis(first.url)).state).toBe('away')

      const second = await acquire()
      expect(second).toMatchObject({ url: first.url, owned: true })
      expect(await connect(second.url).get('k')).toBe('v')
    })

    it('keeps one server and its data when a process starts while the owner stops', async () => {
      const first = await acquire()
      await connect(first.url).set('k', 'v')
      const [second] = await Promise.all([acquire(), first.stop()])
      // Either it came first and shared a server that then stopped, or it waited and started its own.
      const last = second.owned ? second : await acquire()
      expect(last.owned).toBe(true)
      expect(await connect(last.url).get('k')).toBe('v')
    })
  })

  describe('the private server', () => {
    it('ends when its owner is killed, and the next process starts another on the same data', async () => {
      const owner = await startHolder()
      const pid = await pidOf(owner.url)
      expect(await isGone(pid, owner.url)).toBe(false)
      await connect(owner.url).set('k', 'v')
      await end(owner.child, 'SIGKILL')

      // At once, while the old server may still answer or save.
      const next = await acquire()
      expect(await isGone(pid, owner.url)).toBe(true)
      expect(next).toMatchObject({ url: owner.url, owned: true })
      expect(await connect(next.url).get('k')).toBe('v')
    })

    it('is not ended by Ctrl-C, so that its owner can drain first', async () => {
      const owner = await startHolder()
      const redis = connect(owner.url)
      await redis.ping()
      process.kill(-owner.child.pid!, 'SIGINT')
      // The server itself times this: a server told to end is gone within 0.1 s, and the call fails.
      expect(await redis.blpop('nothing', 0.5)).toBeNull()
      await end(owner.child, 'SIGTERM')
      expect((await probeRedis(owner.url)).state).toBe('away')
    })

    it('is started again by its owner when it is killed', async () => {
      const redis = await acquire()
      await connect(redis.url).set('k', 'v')
      const before = await pidOf(redis.url)
      process.kill(before, 'SIGKILL')
      await until(async () => (await pidOf(redis.url)) > 0)
      expect(await connect(redis.url).get('k')).toBe('v')
      await until(async () => JSON.parse(await readFile(join(dir, 'server.json'), 'utf8')).pid !== before)
      expect((await startHolder()).owned).toBe(false)
    })

    // Only Linux says the parent of a process without further tools.
    it.runIf(process.platform === 'linux')(
      'does not outlive the kill of its watchdog and owner',
      async () => {
        const owner = await startHolder()
        const pid = await pidOf(owner.url)
        expect(await isGone(pid, owner.url)).toBe(false)
        const status = await readFile(`/proc/${pid}/status`, 'utf8')
        process.kill(Number(/^PPid:\s+(\d+)/m.exec(status)![1]), 'SIGKILL')
        await end(owner.child, 'SIGKILL')
        await until(() => isGone(pid, owner.url))
      },
    )
  })
})
