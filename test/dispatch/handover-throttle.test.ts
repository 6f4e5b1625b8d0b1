import { setImmediate as turn } from 'node:timers/promises'
import { pino } from 'pino'
import { beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import {
  createHandoverThrottle,
  type HandoverThrottle,
  healthyAlternativeTo,
  shouldWaitOut,
} from '../../src/dispatch/handover-throttle.ts'
import { type Circuit, healthyCircuit } from '../../src/domain/circuit.ts'
import type { WorkerHeartbeat } from '../../src/health/heartbeats.ts'

let throttle: HandoverThrottle
let nowMs: number
let queued: number
let workers: WorkerHeartbeat[]
let looks: number
let isAway: boolean

const worker = (provider: string, concurrency: number): WorkerHeartbeat => ({
  ...{ provider, instance: `w${workers.length}`, pid: 1, breaker: 'open', callsInFlight: 0 },
  ...{ concurrency, seenAtMs: nowMs },
})

beforeEach(() => {
  nowMs = 1_000_000
  queued = 0
  looks = 0
  isAway = false
  workers = []
  throttle = createHandoverThrottle({
    from: 'first',
    waiting: async () => {
      looks += 1
      if (isAway) throw new Error('Redis is away')
      return queued
    },
    workers: async () => workers,
    log: pino({ level: 'silent' }),
    now: () => nowMs,
  })
})

/** How many of very many go over until there is no more room. */
const taken = (): number => {
  let count = 0
  while (throttle.tryAcquire('second')) count += 1
  return count
}
const later = async (ms: number): Promise<void> => {
  nowMs += ms
  await turn()
}

describe('the handover throttle', () => {
  it('lets a few go at once, then as many as the next queue has room for', async () => {
    workers = [worker('first', 50), worker('second', 25)]
    expect(taken()).toBe(10)
    await later(10)
    expect(taken()).toBe(100)
    expect(looks).toBe(1)
  })

  it('shares the room among the workers that jobs leave from', async () => {
    workers = [worker('first', 50), worker('first', 50), worker('second', 25), worker('second', 25)]
    taken()
    await later(10)
    expect(taken()).toBe(100)
  })

  it('stops while the next queue is long, and goes on when it is shorter', async () => {
    workers = [worker('first', 50), worker('second', 25)]
    queued = 500
    taken()
    await later(10)
    expect(taken()).toBe(0)
    queued = 90
    await later(50)
    expect(throttle.tryAcquire('second')).toBe(false) // it looks now
    await turn()
    expect(taken()).toBe(10)
  })

  it('counts the places of the next provider anew now and then, not with each look', async () => {
    const lookAgain = async (ms: number): Promise<number> => {
      await later(ms)
      taken()
      await turn()
      return taken()
    }
    workers = [worker('first', 50), worker('second', 25)]
    expect(await lookAgain(0)).toBe(100)
    workers = [worker('first', 50), worker('second', 50)]
    expect(await lookAgain(1_999)).toBe(100)
    expect(await lookAgain(50)).toBe(200)
  })

  it('lets nobody go while the next queue cannot be looked at, and looks again', async () => {
    workers = [worker('first', 50), worker('second', 25)]
    isAway = true
    expect(taken()).toBe(10)
    await later(10)
    expect(taken()).toBe(0)
    isAway = false
    await later(50)
    taken()
    await turn()
    expect(taken()).toBe(100)
  })

  it('lets all who wait for room go on together, once there is some', async () => {
    workers = [worker('first', 50), worker('second', 25)]
    queued = 500
    taken()
    await later(10)
    await later(50)
    const gone: number[] = []
    const wait = async (job: number): Promise<void> => {
      while (!throttle.tryAcquire('second')) await throttle.whenRoom('second')
      gone.push(job)
    }
    const jobs = [wait(1), wait(2), wait(3)]
    await until(() => looks >= 3)
    expect(gone).toEqual([])
    queued = 98
    await until(() => gone.length > 0)
    expect(gone).toEqual([1, 2])
    queued = 90
    nowMs += 50
    await Promise.all(jobs)
  })

  it('lets those who wait look up now and then while there is no room', async () => {
    queued = 500
    taken()
    await later(10)
    await throttle.whenRoom('second')
    expect(throttle.tryAcquire('second')).toBe(false)
  })

  it('keeps to a small number where no worker of the next provider is to be seen', async () => {
    workers = [worker('first', 50)]
    taken()
    await later(10)
    expect(taken()).toBe(50)
  })

  it.each([
    ['nothing is known against it', 'alone', 0, false],
    ['it cools off for a moment', 'one of two', 2_000, true],
    ['it cools off for longer, and jobs of another model wait behind', 'one of two', 2_001, false],
    ['it cools off for longer, and is the only one', 'alone', 60_000, true],
  ] as const)('jobs leave a model at a throttle where %s', (_, which, leftMs, paced) => {
    const target = (provider: string, model: string) => ({ route: 'r', provider, model })
    const others = which === 'alone' ? [target('second', 'b')] : [target('first', 'b')]
    const routes = new Map([['r', { targets: [target('first', 'a'), ...others], refusalHandsOver: false }]])
    const suspendedUntil = () => nowMs + leftMs
    const isWorthWaiting = shouldWaitOut('first', { routes, suspendedUntil, now: () => nowMs })
    expect(isWorthWaiting(target('first', 'a'))).toBe(paced)
  })

  it.each<[string, boolean, Partial<Circuit>, string, number]>([
    ['takes all of its traffic', true, {}, '', 0],
    ['was out of use until now', true, {}, '', 1_000_000],
    ['cools off', false, {}, '', 1_000_001],
    ['is open', false, { state: 'down' }, 'second', 0],
    ['is open, and a probe is due', false, { state: 'down', untilMs: 1 }, 'second', 0],
    ['is on its way back', false, { state: 'recovering', share: 0.5 }, 'second', 0],
    ['is paused', false, { pausedAtMs: 1 }, 'second', 0],
    ['has the model open', false, { state: 'down' }, 'second/b', 0],
  ])('jobs may go elsewhere where the other provider %s: %s', (_, may, state, which, untilMs) => {
    const routes = new Map([
      [
        'r',
        {
          targets: [
            { route: 'r', provider: 'first', model: 'a' },
            { route: 's', provider: 'second', model: 'b' },
          ],
        },
      ],
    ])
    const circuits = {
      of: (name: string) => ({ ...healthyCircuit(name), ...(name === which && state) }),
    }
    const goesElsewhere = healthyAlternativeTo('first', {
      routes,
      suspendedUntil: ({ provider }) => (provider === 'second' ? untilMs : 0),
      circuits,
      now: () => nowMs,
    })
    expect(goesElsewhere('a')).toBe(may)
    expect(goesElsewhere('b')).toBe(false)
  })
})
