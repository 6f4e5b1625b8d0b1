import { setImmediate } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApiRedis, createPatientRedis, createSubscriber } from '../../src/redis/connect.ts'
import { type OwnRedis, ownRedis } from '../support/redis.ts'

let server: OwnRedis
let lines: string[]
const log = pino({ base: null, timestamp: false }, { write: line => lines.push(line) })
const opened: Redis[] = []
const kept = (redis: Redis) => {
  opened.push(redis)
  return redis
}

beforeEach(async () => {
  lines = []
  server = await ownRedis()
})
afterEach(async () => {
  for (const redis of opened.splice(0)) redis.disconnect()
  await server.stop()
})

const until = (condition: () => unknown) => vi.waitUntil(condition, { timeout: 10_000, interval: 5 })
const isReady = (redis: Redis) => until(() => redis.status === 'ready')
const isAway = (redis: Redis) => until(() => redis.status !== 'ready')

/** Resolves after so many failed reconnections. */
async function failedReconnections(redis: Redis, count: number) {
  let seen = 0
  redis.on('error', () => seen++)
  await until(() => seen >= count)
}

describe('connections to Redis', () => {
  describe('the connection of the API', () => {
    it('fails at once while Redis is away, and works again when it is back', async () => {
      const redis = kept(createApiRedis(server.url, log))
      await isReady(redis)
      await server.kill()
      await isAway(redis)
      const startedMs = performance.now()
      await expect(redis.set('k', 'v')).rejects.toThrow()
      expect(performance.now() - startedMs).toBeLessThan(5_000)

      await server.restart()
      await isReady(redis)
      expect(await redis.set('k', 'v')).toBe('OK')
    })

    it('fails after two seconds while Redis hangs, and works again when it answers', async () => {
      const redis = kept(createApiRedis(server.url, log))
      await isReady(redis)
      server.freeze()
      const piped = redis.pipeline().set('k', 'v').get('k').exec()
      await expect(redis.get('k')).rejects.toThrow('Command timed out')
      expect((await piped)?.map(([error]) => error?.message)).toEqual(Array(2).fill('Command timed out'))
      server.thaw()
      expect(await redis.set('k', 'w')).toBe('OK')
    })

    it('fails for no answer that came while this process was busy or stood still', async () => {
      const redis = kept(createApiRedis(server.url, log))
      await isReady(redis)
      // Timers are what Node comes to next.
      await setImmediate()
      const answer = redis.set('k', 'v')
      const end = performance.now() + 2_500
      while (performance.now() < end);
      expect(await answer).toBe('OK')
    })
  })

  describe('the connection of workers', () => {
    it('keeps a command until Redis is back', async () => {
      const redis = kept(createPatientRedis(server.url, log, { autoPipelining: true }))
      await isReady(redis)
      await server.kill()
      await isAway(redis)
      const answer = redis.set('k', 'v')
      await failedReconnections(redis, 3)
      await server.restart()
      expect(await answer).toBe('OK')
    })

    it('leaves a server that has become a read-only replica', async () => {
      const redis = kept(createPatientRedis(server.url, log))
      await redis.replicaof('127.0.0.1', 1)
      let left = false
      redis.once('close', () => (left = true))
      await expect(redis.set('k', 'v')).rejects.toThrow('READONLY')
      await until(() => left)
    })
  })

  it('a subscriber hears messages again after an outage', async () => {
    const subscriber = kept(createSubscriber(server.url, log))
    const publisher = kept(createPatientRedis(server.url, log))
    await subscriber.subscribe('news')
    await server.kill()
    await isAway(subscriber)
    await server.restart()
    const heard: string[] = []
    subscriber.on('message', (channel, message) => heard.push(`${channel}: ${message}`))
    await until(async () => (await publisher.publish('news', 'hello')) === 1)
    await until(() => heard.includes('news: hello'))
  })

  describe('the log of an outage', () => {
    it('has one line when it begins and one when it ends', async () => {
      const redis = kept(createPatientRedis(server.url, log))
      await isReady(redis)
      await server.kill()
      await failedReconnections(redis, 5)
      await server.restart()
      await isReady(redis)
      expect(lines.map(line => JSON.parse(line))).toEqual([
        expect.objectContaining({
          level: 50,
          connection: 'worker',
          reason: 'ECONNREFUSED',
          msg: 'redis connection lost',
        }),
        expect.objectContaining({ level: 30, connection: 'worker', msg: 'redis connection restored' }),
      ])
    })

    it('never holds the password', async () => {
      const redis = kept(createPatientRedis(server.url.replace('//', '//ann:hunter2@'), log))
      await until(() => lines.length > 0)
      redis.disconnect()
      expect(lines.join()).toContain('WRONGPASS')
      expect(lines.join()).not.toContain('hunter2')
    })
  })
})
