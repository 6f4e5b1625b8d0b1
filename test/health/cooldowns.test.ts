import { setImmediate as turn } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { type Cooldown, type Cooldowns, createCooldowns, mostEntries } from '../../src/health/cooldowns.ts'
import { createPatientRedis, createSubscriber } from '../../src/redis/connect.ts'
import { testRedis } from '../support/redis.ts'

const log = pino({ level: 'silent' })
const target = { provider: 'first', model: 'gpt/4' }
const startMs = 1_000_000

let url: string
let prefix: string
let nowMs: number
let opened: { cooldowns: Cooldowns; redis: Redis; connections: Redis[] }[]

beforeEach(() => {
  const redis = testRedis()
  url = redis.url
  prefix = redis.prefix
  nowMs = startMs
  opened = []
})
afterEach(async () => {
  for (const { cooldowns, connections } of opened) {
    await cooldowns.stop()
    for (const connection of connections) connection.disconnect()
  }
})

/** The cooldowns of one more process. */
const open = async (): Promise<Cooldowns> => {
  const redis = createPatientRedis(url, log)
  const subscriber = createSubscriber(url, log)
  const cooldowns = createCooldowns({ redis, subscriber, prefix, log, now: () => nowMs })
  opened.push({ cooldowns, redis, connections: [redis, subscriber] })
  await cooldowns.start()
  return cooldowns
}

describe('the cooldowns', () => {
  it('tells every process soon, and its own at once', async () => {
    const [here, there] = [await open(), await open()]
    here.suspend('target:first/gpt/4', 'throttled', startMs + 9_000, 'rate_limit_exceeded')
    expect(here.unavailableUntil(target)).toBe(startMs + 9_000)
    const askedAt = performance.now()
    await until(() => there.unavailableUntil(target) === startMs + 9_000)
    expect(performance.now() - askedAt).toBeLessThan(2_000)
    expect(there.current()).toEqual([
      {
        scope: 'target:first/gpt/4',
        state: 'throttled',
        untilMs: startMs + 9_000,
        sinceMs: startMs,
        reason: 'rate_limit_exceeded',
      },
    ])
  })

  it('tells a process that starts later', async () => {
    const here = await open()
    here.suspend('key:first#abc', 'stopped', startMs + 9_000, 'invalid_api_key')
    const late = await until(async () => {
      const cooldowns = await open()
      return cooldowns.current().length > 0 ? cooldowns : null
    })
    expect(late.unavailableKeyUntil('first', 'abc')).toBe(startMs + 9_000)
    expect(late.unavailableKeyUntil('first', 'other')).toBe(0)
  })

  it('only ever extends', async () => {
    const [here, there] = [await open(), await open()]
    here.suspend('provider:first', 'stopped', startMs + 9_000, 'breaker_open')
    await until(() => there.unavailableUntil(target) > 0)
    here.suspend('provider:first', 'throttled', startMs + 5_000, 'shorter')
    there.suspend('provider:first', 'throttled', startMs + 5_000, 'shorter')
    there.suspend('provider:first', 'throttled', startMs + 20_000, 'longer')
    await until(() => here.unavailableUntil(target) === startMs + 20_000)
    expect(here.current()).toEqual(there.current())
    expect((await open()).current()).toEqual(there.current())
  })

  it('is not cut short by what was told before it, and comes late', async () => {
    const cooldowns = await open()
    const tell = (entry: object): Promise<number> =>
      opened[0]!.connections[0]!.publish(`${prefix}:health`, JSON.stringify(entry))
    const late = { state: 'throttled', untilMs: startMs + 5_000, sinceMs: startMs, reason: 'slow_down' }
    cooldowns.suspend('provider:first', 'stopped', startMs + 9_000, 'breaker_open')
    await tell({ ...late, scope: 'provider:first' })
    await tell({ ...late, scope: 'provider:second' })
    await until(() => cooldowns.unavailableUntil({ ...target, provider: 'second' }) > 0)
    expect(cooldowns.unavailableUntil(target)).toBe(startMs + 9_000)
  })

  it('is what is told on its own channel, and as long as it is open', async () => {
    const cooldowns = await open()
    const [writer, subscriber] = opened[0]!.connections
    await subscriber!.subscribe(`${prefix}:other`)
    const heard = new Promise(resolve => subscriber!.once('message', resolve))
    const entry = { scope: 'provider:first', state: 'stopped', untilMs: startMs + 9_000, sinceMs: startMs }
    await writer!.publish(`${prefix}:other`, JSON.stringify({ ...entry, reason: 'x' }))
    await heard
    expect(cooldowns.current()).toEqual([])
    await cooldowns.stop()
    expect(subscriber!.listenerCount('message')).toBe(0)
  })

  it('says since when: since it changed, or came again', async () => {
    const [here, there] = [await open(), await open()]
    here.suspend('target:first/gpt/4', 'throttled', startMs + 9_000, 'slow_down')
    nowMs += 1_000
    here.suspend('target:first/gpt/4', 'throttled', startMs + 9_500, 'slow_down')
    expect(here.current()).toMatchObject([{ sinceMs: startMs }])
    // By so little an extension would not be told.
    here.suspend('target:first/gpt/4', 'stopped', startMs + 9_510, 'unknown_model')
    expect(here.current()).toMatchObject([{ state: 'stopped', sinceMs: nowMs }])
    await until(() => there.current()[0]?.state === 'stopped')
    nowMs = startMs + 20_000
    here.suspend('target:first/gpt/4', 'stopped', nowMs + 1_000, 'unknown_model')
    expect(here.current()).toMatchObject([{ state: 'stopped', sinceMs: nowMs }])
  })

  it('says nothing of a time that has passed', async () => {
    const cooldowns = await open()
    cooldowns.suspend('target:first/gpt/4', 'throttled', startMs, 'slow_down')
    expect(cooldowns.current()).toEqual([])
    const [writer] = opened[0]!.connections
    await writer!.ping()
    expect(await writer!.hlen(`${prefix}:{health}:board`)).toBe(0)
  })

  it('tells the others of an extension only where it is worth telling', async () => {
    const [here, there] = [await open(), await open()]
    const told: Cooldown[] = []
    opened[1]!.connections[1]!.on('message', (_, text) => told.push(JSON.parse(text) as Cooldown))
    // By a tenth of what is left, or by a quarter of a second.
    const times = [500, 540, 560, 10_000, 10_100, 10_240, 10_250, 20_000]
    for (const time of times) here.suspend('target:first/gpt/4', 'throttled', startMs + time, 'slow_down')
    expect(here.unavailableUntil(target)).toBe(startMs + 20_000)
    await until(() => there.unavailableUntil(target) === startMs + 20_000)
    expect(told.map(({ untilMs }) => untilMs - startMs)).toEqual([500, 560, 10_000, 10_250, 20_000])
    expect(there.current()).toMatchObject([{ sinceMs: startMs }])
  })

  it('does not let a process that missed the longer time cut it short for the next', async () => {
    const here = await open()
    const deaf = await open()
    await opened[1]!.connections[1]!.unsubscribe()
    here.suspend('provider:first', 'stopped', startMs + 9_000, 'breaker_open')
    const writer = opened[0]!.connections[0]!
    await until(() => writer.hlen(`${prefix}:{health}:board`))
    deaf.suspend('provider:first', 'throttled', startMs + 5_000, 'shorter')
    await opened[1]!.connections[0]!.ping() // written before this is answered
    await turn()
    expect(here.unavailableUntil(target)).toBe(startMs + 9_000)
    expect((await open()).unavailableUntil(target)).toBe(startMs + 9_000)
  })

  it('forgets by itself when the time has come', async () => {
    const cooldowns = await open()
    cooldowns.suspend('target:first/gpt/4', 'throttled', startMs + 1_000, 'slow_down')
    cooldowns.suspend('provider:second', 'stopped', startMs + 2_000, 'breaker_open')
    cooldowns.suspend('key:first#abc', 'stopped', startMs + 1_000, 'invalid_api_key')
    nowMs = startMs + 1_000
    expect(cooldowns.unavailableUntil(target)).toBe(0)
    expect(cooldowns.unavailableKeyUntil('first', 'abc')).toBe(0)
    expect(cooldowns.current().map(entry => entry.scope)).toEqual(['provider:second'])
  })

  it('takes the later of what is known of a provider and of a model on it', async () => {
    const cooldowns = await open()
    cooldowns.suspend('provider:first', 'stopped', startMs + 2_000, 'breaker_open')
    cooldowns.suspend('target:first/gpt/4', 'throttled', startMs + 3_000, 'slow_down')
    expect(cooldowns.unavailableUntil(target)).toBe(startMs + 3_000)
    expect(cooldowns.unavailableUntil({ ...target, model: 'other' })).toBe(startMs + 2_000)
    expect(cooldowns.unavailableUntil({ ...target, provider: 'second' })).toBe(0)
  })

  it('learns what it missed once its connection is back', async () => {
    const [here, there] = [await open(), await open()]
    const subscriber = opened[1]!.connections[1]!
    subscriber.disconnect()
    await until(() => subscriber.status === 'end')
    here.suspend('provider:first', 'stopped', startMs + 9_000, 'breaker_open')
    await until(() => opened[0]!.connections[0]!.hlen(`${prefix}:{health}:board`))
    expect(there.unavailableUntil(target)).toBe(0)
    await subscriber.connect()
    await until(() => there.unavailableUntil(target) === startMs + 9_000)
  })

  it('keeps so many entries, however many models clients name: those that have ended go, then those that end soonest', async () => {
    const here = await open()
    here.suspend('key:first#k', 'stopped', startMs + 1_000, 'bad_key')
    for (let i = 0; i < 1_500; i++)
      here.suspend(`target:first/made-up-${i}`, 'throttled', startMs + 10_000 + i, 'http_429')
    expect(here.current().length).toBeLessThanOrEqual(mostEntries)
    expect(here.unavailableKeyUntil('first', 'k')).toBe(startMs + 1_000)
    expect(here.unavailableUntil({ provider: 'first', model: 'made-up-1499' })).toBeGreaterThan(0)
    const { redis } = opened[0]!
    const scopes = (): Promise<string[]> => redis.hkeys(`${prefix}:{health}:board`)
    await until(async () => (await scopes()).includes('target:first/made-up-1499'))
    expect((await scopes()).length).toBeLessThanOrEqual(mostEntries)
    expect(await scopes()).toContain('key:first#k')
  })
})
