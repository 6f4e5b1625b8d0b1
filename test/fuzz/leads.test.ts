import fc from 'fast-check'
import { pino } from 'pino'
import { afterAll, describe, expect, it } from 'vitest'
import { createAnswerCache } from '../../src/cache/answer-cache.ts'
import { requestKey } from '../../src/cache/request-key.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { testRedis } from '../support/redis.ts'
import { patienceMs, runs } from './runs.ts'

// Whatever jobs do about one request, and in whatever order: who follows is woken when there is nobody to follow any more.

const { url, prefix } = testRedis()
const redis = createPatientRedis(url, pino({ level: 'silent' }))
// Longer than any run: a lease that ends wakes nobody, and the schedule does then.
const leaseMs = 600_000
const cache = createAnswerCache({ redis, keys: createKeys(prefix), leaseMs, now: Date.now })
afterAll(() => redis.disconnect())

const jobs = ['one', 'two', 'three', 'four'] as const
type Job = (typeof jobs)[number]
type Act = 'come' | 'answer' | 'fail' | 'leave' | 'die'

/** What one job is about: `deciding` was told to follow, and is not parked yet. */
type State = 'away' | 'deciding' | 'following' | 'leading' | 'alone'

let requests = 0
const newKey = (): string =>
  requestKey({
    ...{ tenant: 't', route: 'r', chain: '', endpoint: '/v1/messages' },
    body: `{"n":${requests++}}`,
    headers: {},
  })!
const room = { route: 'r', ttlMs: 600_000, maxTotalBytes: 16_000_000 }
const answer = { statusCode: 200, body: '{"a":1}', target: { provider: 'p', model: 'm' } }

const play = async (acts: readonly (readonly [Job, Act])[]): Promise<void> => {
  const key = newKey()
  const states = new Map<Job, State>(jobs.map(job => [job, 'away']))
  const woken = (doorbells: readonly string[]): void => {
    for (const each of doorbells) {
      const job = each as Job
      // A doorbell of a job that was cancelled in the meantime is harmless.
      if (states.get(job) === 'following') states.set(job, 'away')
    }
  }

  for (const [job, act] of acts) {
    const state = states.get(job)!
    const calls = state === 'leading' || state === 'alone'
    if (act === 'come') {
      if (state === 'away') {
        const { kind } = await cache.enter(key, job)
        const next = { hit: 'away', lead: 'leading', follow: 'deciding', alone: 'alone' } as const
        states.set(job, next[kind])
      } else if (state === 'deciding') {
        states.set(job, (await cache.follow(key, job, job)) ? 'following' : 'away')
      }
    } else if (act === 'answer' && calls) {
      states.set(job, 'away')
      woken(await cache.put(key, job, room, answer))
    } else if ((act === 'fail' || act === 'leave') && calls) {
      states.set(job, 'away')
      woken(await cache.endLead(key, job, act === 'fail'))
    } else if (act === 'die' && state !== 'leading') states.set(job, 'away')

    const leaders = jobs.filter(each => states.get(each) === 'leading')
    const followers = jobs.filter(each => states.get(each) === 'following')
    expect(leaders.length).toBeLessThanOrEqual(1)
    if (leaders.length === 0) expect(followers).toEqual([])
  }
}

describe('random shared calls', () => {
  describe('jobs that ask the same', { timeout: patienceMs }, () => {
    it('never follow nobody, and never two', async () => {
      const act = fc.oneof(
        { weight: 6, arbitrary: fc.constant<Act>('come') },
        { weight: 4, arbitrary: fc.constantFrom<Act>('answer', 'fail', 'leave', 'die') },
      )
      const acts = fc.array(fc.tuple(fc.constantFrom(...jobs), act), { minLength: 4, maxLength: 40 })
      await fc.assert(fc.asyncProperty(acts, play), runs(60))
    })
  })
})
