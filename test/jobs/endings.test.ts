import { afterAll, describe, expect, it } from 'vitest'
import type { NewJob } from '../../src/jobs/types.ts'
import { answer, failure, openStore, retentionMs } from './store-fixture.ts'

const { store, redis, keys, clock, newJob, created, claimed, running, scheduleOf, close } = openStore()
afterAll(close)

type More = Partial<NewJob>
const target = { provider: 'second', model: 'm' }

/** Brings a new job into a live state. */
const states = {
  queued: created,
  running: async (more: More) => (await running(more)).id,
  parked: async (more: More) => {
    const claim = await running(more)
    await store.park(
      claim,
      { hop: 0, generation: 1, target, attemptsSpent: 0, attempts: [] },
      clock.nowMs + 500,
    )
    return claim.id
  },
  'handed over': async (more: More) => {
    const claim = await running(more)
    await store.advance(claim, { hop: 1, generation: 0, target, attemptsSpent: 0, attempts: [] }, clock.nowMs)
    return claim.id
  },
} as const
const live = Object.keys(states) as (keyof typeof states)[]

const ends = {
  cancelled: (id: string) => store.cancel(id),
  expired: (id: string) => store.expire(id, 0),
} as const
const webhook = { url: 'https://hooks.example/x' }

const keptFor = async (key: string): Promise<'gone' | 'retention' | 'ever'> => {
  const ttlMs = await redis.pttl(key)
  if (ttlMs === -2) return 'gone'
  return ttlMs === -1 ? 'ever' : ttlMs > retentionMs - 60_000 && ttlMs <= retentionMs ? 'retention' : 'ever'
}
const left = async (id: string) => ({
  schedule: Object.keys(await scheduleOf(id)),
  record: await keptFor(keys.record(id)),
  // A short one stands in the record and goes with that; a long one in a key that must not outlast it.
  body: (await store.readBody(id)) === null ? 'gone' : 'kept',
  outlived: (await keptFor(keys.payload(id))) === 'ever',
})

/** How the request is stored depends on its length. */
const bodies = {
  short: '{"model":"gpt-4"}',
  long: JSON.stringify({ model: 'gpt-4', prompt: 'x'.repeat(5_000) }),
}
const each = live.flatMap(state => Object.values(bodies).map(body => ({ state, body, length: body.length })))

describe('the job store, ends', () => {
  describe.each(each)('a $state job with a body of $length bytes', ({ state, body }) => {
    it.each(['cancelled', 'expired'] as const)(
      'can be %s, and leaves nothing that would wake it',
      async end => {
        const id = await states[state]({ body })
        expect(await ends[end](id)).toBe(state === 'handed over' ? 'queued' : state)
        expect(await store.read(id)).toMatchObject({
          status: end,
          error: { code: end },
          finishedAtMs: clock.nowMs,
          resumesAtMs: null,
        })
        expect(await left(id)).toEqual({ schedule: [], record: 'retention', body: 'kept', outlived: false })
      },
    )

    it('with a webhook stays until that is delivered', async () => {
      const id = await states[state]({ body, webhook })
      await store.cancel(id)
      expect(await left(id)).toEqual({ schedule: ['.w.0'], record: 'ever', body: 'kept', outlived: false })
    })
  })

  describe('a finished job', () => {
    it('keeps its first end', async () => {
      const claim = await running()
      await store.finalise(claim, answer('done'))
      expect(await store.cancel(claim.id)).toBe('succeeded')
      expect(await store.expire(claim.id, 0)).toBe('succeeded')
      expect((await store.read(claim.id))!.status).toBe('succeeded')
      expect(await store.cancel(newJob().id)).toBe('gone')
    })

    it.each([
      ['succeeded', answer('x'), null, { schedule: [], record: 'retention', body: 'gone', outlived: false }],
      ['failed', failure, null, { schedule: [], record: 'retention', body: 'kept', outlived: false }],
      [
        'succeeded',
        answer('x'),
        webhook,
        { schedule: ['.w.0'], record: 'ever', body: 'gone', outlived: false },
      ],
      ['failed', failure, webhook, { schedule: ['.w.0'], record: 'ever', body: 'kept', outlived: false }],
    ] as const)('%s leaves what it must (%#)', async (_, final, hook, leaves) => {
      for (const body of Object.values(bodies)) {
        const claim = await running({ webhook: hook, body })
        expect(claim.body).toBe(body)
        await store.finalise(claim, final)
        expect(await left(claim.id)).toEqual(leaves)
      }
    })
  })

  describe('a running job that is ended from outside', () => {
    it('shows the call that was dropped, and its worker is told', async () => {
      const subscriber = redis.duplicate()
      await subscriber.subscribe(keys.abortChannel)
      const told = new Promise(resolve => subscriber.on('message', (_, jobId) => resolve(jobId)))
      const { id } = await running()
      clock.nowMs += 1_234
      await store.cancel(id)
      expect((await store.read(id))!.attempts).toEqual([
        expect.objectContaining({
          duration_ms: 1_234,
          verdict: null,
          reason: 'cancelled',
          possibly_billed: true,
        }),
      ])
      expect(await told).toBe(id)
      subscriber.disconnect()
    })

    it('shows no dropped call when it was cancelled in the pause before a retry', async () => {
      const claim = await running()
      const attempt = {
        hop: 0,
        provider: 'first',
        model: 'm',
        started_at: clock.nowMs / 1_000,
        duration_ms: 5,
        status_code: 500,
        verdict: 'transient',
        reason: 'http_500',
        possibly_billed: false,
      } as const
      await store.retry(claim, 1, [attempt], clock.nowMs + 250)
      clock.nowMs += 100
      await store.cancel(claim.id)
      expect((await store.read(claim.id))!.attempts).toEqual([attempt])
    })

    it('is spared at its deadline for as long as its worker may need', async () => {
      const { id } = await running()
      expect(await store.expire(id, clock.nowMs + 1)).toBe('deferred')
      expect((await store.read(id))!.status).toBe('running')
      expect(await store.expire(id, clock.nowMs)).toBe('running')
    })
  })

  describe('the schedule of a live job', () => {
    it('holds its next doorbell after each move, and the deadline always', async () => {
      const claim = await running()
      const deadline = { '.x': claim.expiresAtMs }
      const nowMs = clock.nowMs
      await store.advance(claim, { hop: 1, generation: 0, target, attemptsSpent: 1, attempts: [] }, nowMs)
      expect(await scheduleOf(claim.id)).toMatchObject({ ...deadline, '.1.0': nowMs + 1_500 })
      const second = await claimed(claim.id, 'w2')
      expect(second).toMatchObject({ hop: 1, target, attemptsSpent: 1 })
      await store.park(second, { hop: 1, generation: 1, target, attemptsSpent: 1, attempts: [] }, nowMs + 900)
      expect(await scheduleOf(claim.id)).toMatchObject({ ...deadline, '.1.1': nowMs + 900 })
      expect(await store.read(claim.id)).toMatchObject({ status: 'parked', resumesAtMs: nowMs + 900 })
    })
  })
})
