import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Circuit } from '../../src/domain/circuit.ts'
import { termsOf } from '../../src/domain/circuit-terms.ts'
import { type CallReport, type CircuitStore, createCircuitStore } from '../../src/health/circuit-store.ts'
import { createPatientRedis } from '../../src/redis/connect.ts'
import { testRedis } from '../support/redis.ts'
import { tallyOf } from './tally-of.ts'

const startMs = 1_700_000_000_000
const terms = termsOf({
  ...{
    windowMs: 10_000,
    errorPercent: 50,
    minCalls: 10,
    runLength: 100,
    slowFactor: 2,
    resetMs: 1_000,
    maxResetMs: 3_000,
  },
  ...{ rampMs: 3_000, checkMs: 1_000, firstShare: 0.1 },
})

let redis: Redis
let store: CircuitStore
let nowMs: number

beforeEach(() => {
  const { url, prefix } = testRedis()
  redis = createPatientRedis(url, pino({ level: 'silent' }))
  nowMs = startMs
  store = createCircuitStore(redis, prefix, () => nowMs)
})
afterEach(() => redis.disconnect())

const now = async (): Promise<Circuit | undefined> =>
  (await store.readAll()).find(({ provider }) => provider === 'first')
/** Replies nothing: what has become of it is looked up. */
const tell = (part: Partial<CallReport>, at = terms) => store.report('first', at, tallyOf(part), -1)
const report = async (ok: number, failed: number, era?: number) => {
  const circuit = await now()
  await tell({ era: era ?? circuit?.era ?? 0, ok, failed })
  return now()
}
const openIt = () => report(0, 10)
const probe = async (outcome: 'success' | 'failure' | 'ignored'): Promise<Circuit> => {
  nowMs = Math.max(nowMs, (await now())!.untilMs)
  const { taken, circuit } = await store.lease('first', 'w1', 5_000)
  expect(taken).toBe(true)
  return store.conclude('first', terms, circuit.era, outcome, 'http_503')
}

describe('the circuit store', () => {
  describe('the window', () => {
    it.each([
      ['fewer calls than it takes', [[0, 9]], undefined],
      [
        'as many failures as successes',
        [
          [50, 0],
          [0, 50],
        ],
        undefined,
      ],
      [
        'more, by several processes together',
        [
          [5, 2],
          [0, 2],
          [0, 2],
        ],
        'down',
      ],
      [
        'one more',
        [
          [9, 0],
          [0, 10],
        ],
        'down',
      ],
    ] as [string, [number, number][], string | undefined][])('%s', async (_, reports, state) => {
      for (const [ok, failed] of reports) await report(ok, failed)
      expect((await now())?.state).toBe(state)
    })

    it('slides: what is older than it no longer counts', async () => {
      await report(100, 0)
      nowMs += 10_000
      expect(await report(0, 10)).toMatchObject({
        ...{ state: 'down', reason: 'http_503', sinceMs: nowMs, untilMs: nowMs + 1_000, share: 0 },
      })
    })
  })

  describe('a run of failures', () => {
    const five = { ...terms, runLength: 5 }
    /** Tells in turn: one success, or so many failures. */
    const run = async (...outcomes: readonly ('ok' | number)[]) => {
      for (const outcome of outcomes) {
        await tell(outcome === 'ok' ? { ok: 1 } : { failed: outcome }, five)
        nowMs += 10
      }
      return (await now())?.state
    }

    it.each<[string, readonly ('ok' | number)[], string | undefined]>([
      ['that is short', [4], undefined],
      ['of a process', [5], 'down'],
      ['of several processes together', [2, 2, 1], 'down'],
      ['that a success of any of them breaks', [4, 'ok', 4], undefined],
      ['that is no rarer than chance, where some calls fail anyway', ['ok', 1, 'ok', 5], undefined],
      ['that is, although some do', ['ok', 1, 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 8], 'down'],
    ])('%s: %j', async (_, outcomes, state) => {
      expect(await run(...outcomes)).toBe(state)
    })

    it('opens it after thousands of good calls, whatever the window says', async () => {
      await tell({ ok: 5_000 }, five)
      expect(await run(5)).toBe('down')
    })

    it('opens it on a call a minute, but not on one in a quarter of an hour', async () => {
      for (let call = 0; call < 5; call++) {
        await run(1)
        nowMs += 15 * 60_000
      }
      expect((await now())?.state).toBeUndefined()
      for (let call = 0; call < 5; call++) {
        await run(1)
        nowMs += 60_000
      }
      expect((await now())?.state).toBe('down')
    })

    it('opens one on its way back, however many calls of the step were good', async () => {
      await openIt()
      const { era } = await probe('success')
      await tell({ era, ok: 5_000 }, five)
      await tell({ era, failed: 5 }, five)
      expect(await now()).toMatchObject({ state: 'down', relapses: 1 })
    })

    it('is one failure where a restart cuts connections of many processes in one moment', async () => {
      for (const by of ['w1', 'w2', 'w3', 'w4', 'w5', 'w6'])
        await tell({ by, failed: 1, cutFromMs: startMs - 500 }, five)
      expect((await now())?.state).toBeUndefined()
      for (let call = 0; call < 4; call++) {
        nowMs += 20
        await tell({ failed: 1, cutFromMs: nowMs - 10 }, five)
      }
      expect((await now())?.state).toBe('down')
    })
  })

  describe("a process's own guard that has opened", () => {
    it('opens it for all, although the window does not say so', async () => {
      await report(100, 0)
      nowMs += 5_000
      await tell({ failed: 1, trippedSinceMs: nowMs - 100 })
      expect(await now()).toMatchObject({ state: 'down', reason: 'http_503' })
    })

    it('is left alone with its trouble while others have answers', async () => {
      const trippedSinceMs = nowMs
      for (let second = 0; second < 20; second++) {
        nowMs += 1_000
        await tell({ by: 'w2', ok: 1 })
        await tell({ failed: 1, trippedSinceMs })
      }
      expect((await now())?.state).toBeUndefined()
      nowMs += 11_000
      await tell({ trippedSinceMs, reason: 'connect' })
      expect(await now()).toMatchObject({ state: 'down', reason: 'connect' })
    })
  })

  describe('an open provider', () => {
    it('is not moved by calls that began before it opened', async () => {
      const { era } = (await openIt())!
      await report(1_000, 0, 0)
      await report(0, 1_000, 0)
      expect(await now()).toMatchObject({ state: 'down', era, relapses: 0 })
    })

    it('gives its one probe to one process, and not before its time', async () => {
      await openIt()
      expect((await store.lease('first', 'w1', 5_000)).taken).toBe(false)
      nowMs += 1_000
      const asked = await Promise.all(['w1', 'w2', 'w3', 'w4'].map(w => store.lease('first', w, 5_000)))
      expect(asked.filter(({ taken }) => taken)).toHaveLength(1)
      expect(await now()).toMatchObject({ state: 'probing', owner: 'w1', untilMs: nowMs + 5_000 })
    })

    it('gives it to another when the first fell silent, whose word then no longer counts', async () => {
      await openIt()
      nowMs += 1_000
      const { circuit: first } = await store.lease('first', 'w1', 5_000)
      nowMs += 4_000
      await store.renew('first', 'w1', 5_000, first.era)
      nowMs += 4_000
      expect((await store.lease('first', 'w2', 5_000)).taken).toBe(false)
      nowMs += 1_000
      expect((await store.lease('first', 'w2', 5_000)).taken).toBe(true)
      await store.conclude('first', terms, first.era, 'success', '')
      await store.renew('first', 'w1', 50_000, first.era)
      expect(await now()).toMatchObject({ state: 'probing', owner: 'w2', untilMs: nowMs + 5_000 })
    })

    it('stays open twice as long with each probe that fails, and no longer for one that was ended by us', async () => {
      await openIt()
      const waits = []
      for (const outcome of ['ignored', 'failure', 'failure', 'failure'] as const) {
        waits.push((await probe(outcome)).untilMs - nowMs)
      }
      expect(waits).toEqual([1_000, 2_000, 3_000, 3_000])
    })
  })

  describe('a provider on its way back', () => {
    it('takes its steps by the clock, and is as new at the end', async () => {
      await openIt()
      await probe('failure')
      const steps = [(await probe('success')).share]
      for (let i = 0; i < 2; i++) {
        await report(1, 0)
        nowMs += 1_000
        steps.push((await report(0, 0))!.share)
      }
      expect(steps.map(share => Number(share.toFixed(2)))).toEqual([0.1, 0.4, 0.7])
      nowMs += 1_000
      expect(await report(1, 0)).toMatchObject({ state: 'healthy', share: 1, relapses: 0, reason: '' })
      // The window began anew.
      expect(await report(0, 9)).toMatchObject({ state: 'healthy' })
      expect(await report(0, 1)).toMatchObject({ state: 'down' })
    })

    it('relapses on few failures, and stays away longer', async () => {
      await openIt()
      await probe('success')
      expect(await report(0, 2)).toMatchObject({ state: 'recovering' })
      expect(await report(0, 1)).toMatchObject({ state: 'down', untilMs: nowMs + 2_000, relapses: 1 })
    })

    it('does not take a step on a bad one, however few its calls', async () => {
      await openIt()
      await probe('success')
      await report(0, 1)
      nowMs += 1_000
      expect(await report(0, 0)).toMatchObject({ state: 'down', reason: 'http_503' })
    })
  })

  describe('a provider that throttled', () => {
    const cool = (forMs: number) => store.leaveAlone('first', terms, nowMs + forMs, 'rate_limit_exceeded')
    const step = async (ms: number) => {
      nowMs += ms
      return report(0, 0)
    }
    const coolOff = async () => {
      await cool(2_000)
      return step(2_000)
    }

    it('is left alone for as long as it asked, and comes back in steps', async () => {
      expect(await cool(2_000)).toMatchObject({
        ...{
          state: 'throttled',
          untilMs: nowMs + 2_000,
          share: 0.1,
          cooled: true,
          reason: 'rate_limit_exceeded',
        },
      })
      expect(await step(1_999)).toMatchObject({ state: 'throttled' })
      const shares = []
      for (const ms of [1, 1_000, 1_000, 1_000]) shares.push((await step(ms))!.share)
      expect(shares.map(share => Number(share.toFixed(2)))).toEqual([0.1, 0.4, 0.7, 1])
      expect(await now()).toMatchObject({ state: 'healthy', reason: '', cooled: false })
      const events = (await store.events('first')).map(({ state }) => state).toReversed()
      expect(events).toEqual(['throttled', 'recovering', 'recovering', 'recovering', 'healthy'])
    })

    it('is left alone for longer when it says so again, and never for less', async () => {
      const untilMs = nowMs + 5_000
      await cool(2_000)
      await cool(5_000)
      expect(await cool(1_000)).toMatchObject({ state: 'throttled', untilMs })
      expect(await store.events('first')).toHaveLength(1)
    })

    it('cools again when it throttles on its way back, and begins at the first step', async () => {
      await coolOff()
      expect(await step(1_000)).toMatchObject({ state: 'recovering', step: 2 })
      expect(await cool(3_000)).toMatchObject({ state: 'throttled', untilMs: nowMs + 3_000, relapses: 0 })
      expect(await step(3_000)).toMatchObject({ state: 'recovering', share: 0.1, step: 1 })
    })

    it('is judged by its whole window all the while: it was never out of order', async () => {
      await report(5, 0)
      await coolOff()
      expect(await report(0, 4)).toMatchObject({ state: 'recovering' })
      await step(1_000)
      expect(await report(0, 2)).toMatchObject({ state: 'down', relapses: 0, untilMs: nowMs + 1_000 })
    })

    it('on its way back from an outage still has to show that it works', async () => {
      await openIt()
      await probe('success')
      await cool(2_000)
      expect(await step(2_000)).toMatchObject({ state: 'recovering', cooled: false, step: 1 })
      expect(await report(0, 3)).toMatchObject({ state: 'down', relapses: 1 })
    })

    it('while it is open is open', async () => {
      await openIt()
      expect(await cool(2_000)).toMatchObject({ state: 'down' })
    })

    it('takes all of its traffic at once where no ramp is wanted', async () => {
      const steep = { ...terms, shares: [] }
      expect(await store.leaveAlone('first', steep, nowMs + 2_000, 'slow_down')).toMatchObject({
        state: 'healthy',
      })
    })
  })

  describe('a provider that answers far slower than it does', () => {
    const answers = (...longest: number[]) => tell({ ok: 1, answers: 7, longest })
    /** Two minutes of answers of at most a second, but for one. */
    const usually = async () => {
      for (const longest of [[90_000, 800], [900], [1_000]]) await answers(...longest)
      nowMs += 1_900
    }
    const told = async (by: string, ...agesMs: number[]) => {
      const { limitMs, circuit } = await store.overdue('first', terms, (await now())?.era ?? 0, by, agesMs)
      return { limitMs, state: circuit.state }
    }

    it('has calls that are overdue, after twice what is usual; one answer out of the ordinary is not', async () => {
      await usually()
      expect(await told('w1', 2_000, 1_900)).toEqual({ limitMs: 1_800, state: 'healthy' })
    })

    it('is not known while few answers are', async () => {
      await answers(10)
      await answers(10)
      expect(await told('w1', 60_000, 60_000, 60_000)).toEqual({ limitMs: 0, state: 'healthy' })
    })

    it('has no call overdue within a second, however fast it is', async () => {
      for (const longest of [[10], [10], [10]]) await answers(...longest)
      nowMs += 5_000
      expect(await told('w1', 999, 998, 997)).toEqual({ limitMs: 1_000, state: 'healthy' })
      expect((await told('w1', 1_002, 1_001, 1_000)).state).toBe('slow')
    })

    it('is slow when several calls are overdue, of whatever processes, and nothing was answered lately', async () => {
      await usually()
      expect((await told('w1', 1_900)).state).toBe('healthy')
      expect((await told('w1', 1_950)).state).toBe('healthy') // the same call
      expect((await told('w2', 1_900)).state).toBe('healthy')
      expect((await told('w3', 1_900)).state).toBe('slow')
      expect(await now()).toMatchObject({ reason: 'overdue', untilMs: nowMs, share: 0 })
    })

    it('is not slow while some calls are answered', async () => {
      await usually()
      await tell({ ok: 1 })
      nowMs += 800
      expect((await told('w1', 9_000, 8_000, 7_000)).state).toBe('healthy')
      nowMs += 100
      expect((await told('w1', 9_000, 8_000, 7_000)).state).toBe('slow')
    })

    it('what a process told of some time ago no longer counts', async () => {
      await usually()
      await told('w1', 1_900, 1_900)
      nowMs += 3_000
      expect((await told('w2', 1_900)).state).toBe('healthy')
    })

    const slow = async () => {
      await usually()
      await told('w1', 3_000, 3_000, 3_000)
      return (await now())!
    }

    it('is as it was when one of these calls is answered, also while it is probed', async () => {
      await slow()
      await tell({ era: 0, late: true })
      expect(await now()).toMatchObject({ state: 'healthy', reason: '', share: 1 })
      await told('w1', 3_000, 3_000, 3_000)
      await store.lease('first', 'w1', 5_000)
      await tell({ era: 0, late: true })
      expect(await now()).toMatchObject({ state: 'healthy', owner: '' })
    })

    it('is checked at once, and opens for the usual time when that fails', async () => {
      await slow()
      expect(await probe('failure')).toMatchObject({ state: 'down', untilMs: nowMs + 1_000, relapses: 0 })
      await tell({ era: 0, late: true })
      expect(await now()).toMatchObject({ state: 'down' })
    })

    it('that was checked comes back in steps, and is left alone for longer each time it is slow again', async () => {
      await slow()
      expect(await probe('success')).toMatchObject({ state: 'recovering', share: 0.1, reason: 'overdue' })
      nowMs += 900
      expect((await told('w1', 1_900, 1_900)).state).toBe('slow')
      expect(await now()).toMatchObject({ relapses: 1, untilMs: nowMs + 1_000 })
      await probe('success')
      nowMs += 900
      await told('w1', 1_900, 1_900)
      expect(await now()).toMatchObject({ state: 'slow', relapses: 2, untilMs: nowMs + 2_000 })
    })
  })

  describe('a model of a provider', () => {
    const tell = async (circuit: string, failed: number) => {
      const era = (await all()).get(circuit)?.era ?? 0
      await store.report(circuit, terms, tallyOf({ era, failed }), -1)
    }
    const all = async () => new Map((await store.readAll()).map(circuit => [circuit.provider, circuit]))
    const states = async () =>
      Object.fromEntries([...(await all())].map(([name, { state }]) => [name, state]))

    it('opens by itself, and its changes stand among those of the provider', async () => {
      await tell('first/a', 10)
      await tell('first2/a', 9)
      expect(await states()).toEqual({ 'first/a': 'down' })
      expect(await store.events('first')).toMatchObject([{ provider: 'first/a', state: 'down' }])
    })

    it('is forgotten when all of the provider opens, and nothing counts until that is closed again', async () => {
      await tell('first/a', 10)
      await tell('first/b', 9)
      await tell('first2/a', 10)
      await openIt()
      const open = { first: 'down', 'first/a': 'healthy', 'first2/a': 'down' }
      expect(await states()).toEqual(open)
      await tell('first/b', 1)
      await tell('first/a', 10)
      expect(await states()).toEqual(open)
      expect((await all()).get('first/a')).toMatchObject({ relapses: 0, share: 1, owner: '' })
    })
  })

  describe('the check of a provider that nobody calls', () => {
    const take = (intervalMs = 5_000) => store.takeCheck('first', terms, intervalMs)

    it('is one in an interval, whoever asks, and another when that one fell silent', async () => {
      const asked = await Promise.all([take(), take(), take()])
      expect(asked.filter(({ taken }) => taken)).toHaveLength(1)
      nowMs += 4_999
      expect(await take()).toMatchObject({ taken: false, nextAtMs: nowMs + 1 })
      nowMs += 1
      expect(await take()).toMatchObject({ taken: true, circuit: { checkedAtMs: nowMs } })
    })

    it('is none where calls tell, by any process', async () => {
      await report(1, 0)
      nowMs += 4_000
      expect((await take()).taken).toBe(false)
      nowMs += 2_000
      expect((await take()).taken).toBe(true)
    })

    it('is none while it is open or paused, nor in a step of its way back that has calls', async () => {
      await openIt()
      nowMs += 10_000
      expect((await take()).taken).toBe(false)
      await probe('success')
      await store.pause('first', true)
      nowMs += 500
      expect((await take(500)).taken).toBe(false)
      await store.pause('first', false)
      await report(1, 0)
      expect((await take(100)).taken).toBe(false)
    })

    it('opens it when it failed, and as a relapse on its way back', async () => {
      const { circuit } = await take()
      expect(await store.openByCheck('first', terms, circuit.era, 'connect', nowMs)).toMatchObject({
        ...{ state: 'down', reason: 'connect', untilMs: nowMs + 1_000, relapses: 0 },
      })
      const back = await probe('success')
      expect(await store.openByCheck('first', terms, back.era, 'connect', nowMs)).toMatchObject({
        ...{ state: 'down', untilMs: nowMs + 2_000, relapses: 1 },
      })
    })

    it('proves nothing where it was called meanwhile, or has changed', async () => {
      const { circuit } = await take()
      const sinceMs = nowMs
      nowMs += 2_000
      await report(1, 0)
      expect(await store.openByCheck('first', terms, circuit.era, 'connect', sinceMs)).toMatchObject({
        state: 'healthy',
      })
      nowMs += 10_000
      expect(await store.openByCheck('first', terms, circuit.era - 1, 'connect', nowMs)).toMatchObject({
        state: 'healthy',
      })
    })
  })

  it('a pause keeps what is beneath, and gives no probe', async () => {
    await openIt()
    await store.pause('first', true)
    nowMs += 5_000
    expect(await store.lease('first', 'w1', 5_000)).toMatchObject({
      taken: false,
      circuit: { state: 'down' },
    })
    expect(await store.pause('first', false)).toMatchObject({ state: 'down', pausedAtMs: 0 })
    expect((await store.lease('first', 'w1', 5_000)).taken).toBe(true)
  })

  it('keeps the last fifty changes, newest first', async () => {
    for (let i = 0; i < 30; i++) {
      await store.pause('first', true)
      await store.pause('first', false)
    }
    const events = await store.events('first')
    expect(events).toHaveLength(50)
    const times = events.map(event => event.seq)
    expect(times).toEqual(times.toSorted((a, b) => b - a))
  })
})
