import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Interrupt } from '../../src/domain/interrupt.ts'
import { createCooldowns } from '../../src/health/cooldowns.ts'
import { createKeyRing } from '../../src/health/key-ring.ts'
import { type Admission, createAdmission } from '../../src/rate-limits/admission.ts'
import { createProviderLimits } from '../../src/rate-limits/key-model-limits.ts'
import { createLimitStore, limiterName } from '../../src/rate-limits/limit-store.ts'
import { createPatientRedis, createSubscriber } from '../../src/redis/connect.ts'
import { testRedis } from '../support/redis.ts'

const log = pino({ level: 'silent' })
const rpm = 1_200

let redis: Redis
let subscriber: Redis
let prefix: string
const opened: (() => Promise<void>)[] = []

beforeEach(() => {
  const at = testRedis()
  prefix = at.prefix
  redis = createPatientRedis(at.url, log)
  subscriber = createSubscriber(at.url, log)
})
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
  for (const connection of [redis, subscriber]) connection.disconnect()
})

/** The way through the limits in a process whose clock is off. A steady clock begins at zero, with its process. */
const openAt = async (instance: string, offMs: number): Promise<Admission> => {
  const clock = (): number => performance.now() + offMs
  const cooldowns = createCooldowns({ redis, subscriber, prefix, log, now: Date.now })
  const keys = createKeyRing('first', [], cooldowns)
  const store = createLimitStore(redis, prefix)
  let admission: Admission | null = null
  const changed = (): void => admission?.changed()
  const lanes = createProviderLimits({
    ...{
      provider: 'first',
      outlived: () => 0,
      limits: { rpm },
      findsConcurrency: false,
      keys,
      store,
      subscriber,
      instance,
      clock,
      changed,
      log,
    },
  })
  const made = createAdmission({
    limits: lanes,
    keys,
    concurrency: 20,
    findsConcurrency: false,
    hasHealthyAlternative: () => false,
    clock,
  })
  admission = made
  await lanes.start()
  opened.push(async () => {
    made.close()
    await lanes.stop()
  })
  return made
}

describe('rate limits under wrong clocks', () => {
  it('processes whose clocks are two minutes apart use the limit, share it, and do not exceed it', async () => {
    // A burst was not taken: without that all would be called at once.
    const record = `${prefix}:{limits}:of:${limiterName('first', 'none')}`
    await redis.hset(record, 'learned', JSON.stringify({ even_until: Date.now() + 3_600_000 }))
    const ways = [await openAt('behind', 0), await openAt('ahead', 120_000)]
    const calls = 40
    const by = [0, 0]
    const startedMs = performance.now()
    let lastMs = 0
    const request = { model: 'm', endpoint: '/v1/chat/completions', body: '{}' } as const
    const callOn = async (which: number): Promise<void> => {
      while (by[0]! + by[1]! < calls) {
        const entry = await ways[which]!.enter(request, 10_000, new Interrupt())
        if (entry.kind !== 'permit') throw new Error(entry.kind)
        by[which]! += 1
        if (by[0]! + by[1]! === calls) lastMs = performance.now()
        await entry.settle({
          reported: null,
          succeeded: true,
          overloaded: false,
          throttledForMs: null,
          tokens: null,
          outputTokens: null,
        })
      }
    }
    await Promise.all([0, 1].flatMap(which => Array.from({ length: 4 }, () => callOn(which))))
    const tookMs = lastMs - startedMs
    // A hundredth of a minute's worth may come at once, the others one after the other.
    const paceMs = (calls - 1 - rpm / 100) * (60_000 / rpm)
    expect(tookMs).toBeGreaterThan(paceMs)
    expect(tookMs).toBeLessThan(2 * paceMs)
    expect(Math.min(...by)).toBeGreaterThan(calls / 4)
  })
})
