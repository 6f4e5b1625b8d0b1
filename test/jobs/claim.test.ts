import { afterAll, describe, expect, it } from 'vitest'
import type { Claim } from '../../src/jobs/types.ts'
import { answer, failure, leaseMs, openStore } from './store-fixture.ts'

const { store, schedule, clock, created, claimed, running, newJob, scheduleOf, close } = openStore()
afterAll(close)

/** The job, taken from its worker and given to another. */
const relieved = async (id: string): Promise<Claim> => {
  clock.nowMs += leaseMs
  expect(await store.recover((await store.read(id))!)).toBe(true)
  return claimed(id, 'w2')
}

const move = {
  hop: 1,
  generation: 0,
  target: { provider: 'second', model: 'm' },
  attemptsSpent: 1,
  attempts: [],
}

describe('the job store, claims', () => {
  describe('a claim', () => {
    it('hands the job over to a worker', async () => {
      const job = newJob()
      await store.create(job)
      expect(await store.claim(job.id, 0, 0, 'w1')).toEqual({
        id: job.id,
        token: 'w1',
        tenant: 'default',
        class: 'default',
        priority: 'default',
        tokens: 500,
        createdAtMs: job.createdAtMs,
        endpoint: job.endpoint,
        model: 'gpt-4',
        target: job.target,
        hop: 0,
        generation: 0,
        expiresAtMs: job.expiresAtMs,
        attemptsSpent: 0,
        attempts: [],
        body: job.body,
        headers: {},
        home: null,
      })
      expect(await store.read(job.id)).toMatchObject({ status: 'running', startedAtMs: clock.nowMs })
    })

    it('tells whose job it is, and whether a connection waits for it', async () => {
      const claim = await running({ tenant: 'other', class: 'interactive' })
      expect(claim).toMatchObject({ tenant: 'other', class: 'interactive' })
      expect(await running({ class: 'interactive' })).toMatchObject({
        tenant: 'default',
        class: 'interactive',
      })
      expect(await store.read(claim.id)).toMatchObject({ tenant: 'other', class: 'interactive' })
    })

    it('answers why a doorbell leads nowhere', async () => {
      expect(await store.claim(newJob().id, 0, 0, 'w1')).toBe('gone')
      const held = await running()
      expect(await store.claim(held.id, 0, 0, 'w2')).toBe('busy')
      await store.advance(held, move, clock.nowMs)
      expect(await store.claim(held.id, 0, 0, 'w2')).toBe('stale')
      expect(await store.claim(held.id, 1, 1, 'w2')).toBe('stale')
      await store.cancel(held.id)
      expect(await store.claim(held.id, 1, 0, 'w2')).toBe('cancelled')
    })

    it('answers the same worker the same when its call is sent again', async () => {
      const first = await running()
      expect(await store.claim(first.id, 0, 0, 'w1')).toEqual(first)
    })

    it('takes a lost worker’s job over under a doorbell of another name', async () => {
      const lost = await running()
      const calledAtMs = clock.nowMs
      const taken = await relieved(lost.id)
      expect(taken).toMatchObject({ token: 'w2', attemptsSpent: 0 })
      expect(taken.attempts).toEqual([
        {
          hop: 0,
          provider: 'first',
          model: 'gpt/4',
          started_at: calledAtMs / 1_000,
          duration_ms: null,
          status_code: null,
          verdict: null,
          reason: 'worker_lost',
          possibly_billed: true,
        },
      ])
      expect((await store.read(lost.id))!.attempts).toEqual(taken.attempts)
    })

    it('is not taken from a worker that has renewed its lease since it was looked at', async () => {
      const claim = await running()
      clock.nowMs += leaseMs
      const untilMs = clock.nowMs + 5_000
      expect(await schedule.takeDue(10, untilMs)).toContain(`${claim.id}.l`)
      const seen = (await store.read(claim.id))!
      await store.renew(claim)
      expect(await store.recover(seen, untilMs)).toBe(false)
      expect(await store.read(claim.id)).toMatchObject({ status: 'running', generation: 0, attempts: [] })
      expect(await scheduleOf(claim.id)).toMatchObject({ '.l': clock.nowMs + leaseMs })

      clock.nowMs += leaseMs
      const againMs = clock.nowMs + 5_000
      await schedule.takeDue(10, againMs)
      expect(await store.recover(seen, againMs)).toBe(true)
    })

    it('gives one of many workers the job', async () => {
      const id = await created()
      const claims = await Promise.all(Array.from({ length: 20 }, (_, i) => store.claim(id, 0, 0, `w${i}`)))
      expect(claims.filter(claim => typeof claim !== 'string')).toHaveLength(1)
      expect(claims.filter(claim => claim === 'busy')).toHaveLength(19)
    })
  })

  describe('a worker that lost its job', () => {
    const lostAndTaken = async () => {
      const lost = await running()
      return { lost, taken: await relieved(lost.id) }
    }
    const attempt = {
      hop: 0,
      provider: 'first',
      model: 'gpt/4',
      started_at: 1,
      duration_ms: 1,
      status_code: 500,
      verdict: 'transient',
      reason: 'http_500',
      possibly_billed: false,
    } as const

    it.each([
      ['advance', (lost: never) => store.advance(lost, { ...move, attempts: [attempt] }, clock.nowMs)],
      ['park', (lost: never) => store.park(lost, { ...move, attempts: [attempt] }, clock.nowMs)],
      ['retry', (lost: never) => store.retry(lost, 7, [attempt], 0)],
      ['fail', (lost: never) => store.finalise(lost, { ...failure, attempts: [attempt] })],
    ])('cannot %s it', async (_, act) => {
      const { lost } = await lostAndTaken()
      const before = await store.read(lost.id)
      const scheduleBefore = await scheduleOf(lost.id)
      expect(await act(lost as never)).toBe(false)
      expect(await store.read(lost.id)).toEqual(before)
      expect(await scheduleOf(lost.id)).toEqual(scheduleBefore)
    })

    it('still answers it: the first good answer wins', async () => {
      const { lost, taken } = await lostAndTaken()
      expect(await store.finalise(lost, answer('late but good'))).toBe(true)
      expect(await store.finalise(taken, answer('too late'))).toBe(false)
      expect((await store.read(lost.id))!.response!.body).toContain('late but good')
    })

    it('still answers it after it was handed over', async () => {
      const { lost, taken } = await lostAndTaken()
      await store.advance(taken, move, clock.nowMs)
      expect(await store.finalise(lost, answer('good'))).toBe(true)
      // The doorbell of the hop that is now for nothing goes, too.
      expect(await scheduleOf(lost.id)).toEqual({})
    })
  })

  describe('finalise', () => {
    it('lets exactly one of many ends be the result', async () => {
      const claim = await running()
      const ends = Array.from({ length: 20 }, (_, i) => answer(`answer ${i}`))
      const written = await Promise.all(ends.map(end => store.finalise(claim, end)))
      expect(written.filter(Boolean)).toHaveLength(1)
      expect((await store.read(claim.id))!.response!.body).toBe(ends[written.indexOf(true)]!.response!.body)
    })

    it('writes the result whole', async () => {
      const claim = await running()
      clock.nowMs += 10
      await store.finalise(claim, { ...answer('hi'), refused: true })
      expect(await store.read(claim.id)).toMatchObject({
        status: 'succeeded',
        response: { statusCode: 200, body: '{"text":"hi"}' },
        usage: { input_tokens: 2, output_tokens: 1 },
        costUsd: 0.5,
        refused: true,
        error: null,
        finishedAtMs: clock.nowMs,
      })
    })

    it('changes nothing when the job ended otherwise', async () => {
      const claim = await running()
      await store.cancel(claim.id)
      expect(await store.finalise(claim, answer('too late'))).toBe(false)
      expect(await store.read(claim.id)).toMatchObject({ status: 'cancelled', response: null })
    })
  })
})
