import { describe, expect, test } from 'vitest'
import { until } from '../../harness/until.ts'
import {
  createReceivers,
  type Entered,
  type ReceiverAdmission,
  type Receivers,
  type ReceiversOptions,
} from '../../src/webhooks/receivers.ts'
import type { DeliveryFailure, DeliveryOutcome } from '../../src/webhooks/send.ts'

const breaker = { failures: 3, resetMs: 10_000, maxResetMs: 40_000 }
const clock = { nowMs: 1_765_000_000_000 }

const open = (options: Partial<ReceiversOptions> = {}): Receivers =>
  createReceivers({ places: 100, breaker, now: () => clock.nowMs, random: () => 0.5, ...options })

let events = 0
const visit = (origin: string, tenant = 'default', id = `e${events++}`) => ({ origin, tenant, id })
const good: DeliveryOutcome = { delivered: true, status: 200 }
const bad = (
  reason: DeliveryFailure,
  status: number | null = null,
  retryAfterMs: number | null = null,
): DeliveryOutcome => ({ delivered: false, reason, status, retryAfterMs })

const entered = (admission: ReceiverAdmission): Entered => {
  expect(admission.kind).toBe('entered')
  return admission as Entered
}
/** One delivery after the other. */
const deliver = async (receivers: Receivers, outcome: DeliveryOutcome, times: number, origin = 'a') => {
  for (let i = 0; i < times; i++) entered(await receivers.enter(visit(origin))).leave(outcome)
}
/** Many at once, of which none comes to an end. */
const hang = async (receivers: Receivers, count: number, to: (i: number) => ReturnType<typeof visit>) => {
  const kinds = await Promise.all(Array.from({ length: count }, (_, i) => receivers.enter(to(i))))
  return kinds.filter(({ kind }) => kind === 'entered').length
}

describe('receivers of webhooks', () => {
  describe('a receiver that hangs', () => {
    test('takes a tenth of the places; the others of it wait in the schedule', async () => {
      const receivers = open()
      expect(await hang(receivers, 500, () => visit('hanging'))).toBe(10)
      const held = await receivers.enter(visit('hanging'))
      expect(held).toMatchObject({ kind: 'held', down: false })
      entered(await receivers.enter(visit('other')))
      entered(await receivers.enter(visit('hanging-too', 'another tenant')))
    })

    test('and 500 of one tenant take a fifth, beside those of it that are well', async () => {
      const receivers = open()
      await deliver(receivers, good, 1, 'well')
      expect(await hang(receivers, 500, i => visit(`hanging-${i}`, 'default'))).toBe(20)
      entered(await receivers.enter(visit('well')))
      entered(await receivers.enter(visit('new', 'another tenant')))
    })

    test('and many that failed leave room for one that is new', async () => {
      const receivers = open()
      for (let i = 0; i < 50; i++) await deliver(receivers, bad('timeout'), 1, `bad-${i}`)
      expect(await hang(receivers, 500, i => visit(`bad-${i % 50}`))).toBe(20)
      entered(await receivers.enter(visit('new')))
    })

    test('is told apart from those that hang no longer', async () => {
      const receivers = open()
      const one = entered(await receivers.enter(visit('a')))
      expect(receivers.hanging()).toBe(0)
      await until(() => receivers.hanging() === 1)
      one.leave(good)
      expect(receivers.hanging()).toBe(0)
    })

    test('with a single place is left it for one delivery', async () => {
      const receivers = open({ places: 1 })
      expect(await hang(receivers, 3, () => visit('hanging'))).toBe(1)
      expect(await hang(receivers, 3, () => visit('other', 'another tenant'))).toBe(1)
    })

    test('has those that wait come back one after the other, none much later than it can be', async () => {
      const receivers = open()
      await hang(receivers, 10, () => visit('hanging'))
      const dues = await Promise.all(
        Array.from({ length: 200 }, async () => {
          const admission = await receivers.enter(visit('hanging'))
          return admission.kind === 'held' ? admission.dueAtMs - clock.nowMs : 0
        }),
      )
      expect(Math.min(...dues)).toBeGreaterThanOrEqual(2_000)
      expect(Math.max(...dues)).toBeLessThanOrEqual(62_000)
    })
  })

  describe('a receiver that was full for a moment', () => {
    /** Each of so many that found no room comes back after this many ms. */
    const heldFor = async (receivers: Receivers, count: number) => {
      const admissions = Array.from({ length: count }, () => receivers.enter(visit('a')))
      return (await Promise.all(admissions)).map(a => (a.kind === 'held' ? a.dueAtMs - clock.nowMs : 0))
    }
    /** Slow enough that the usual time of its answers puts those that wait far apart. */
    const slowOnce = async (receivers: Receivers) => {
      const first = entered(await receivers.enter(visit('a')))
      await until(() => receivers.hanging() === 1)
      first.leave(good)
      await hang(receivers, 10, () => visit('a'))
    }

    test('has its deliveries back within seconds, although its last answer was slow', async () => {
      const receivers = open({ random: () => 1 })
      await slowOnce(receivers)
      expect(Math.max(...(await heldFor(receivers, 500)))).toBeLessThanOrEqual(4_000)
    })

    test('is asked less often the longer it stays full', async () => {
      const receivers = open({ random: () => 1 })
      await slowOnce(receivers)
      await heldFor(receivers, 500)
      clock.nowMs += 5_000
      const later = Math.max(...(await heldFor(receivers, 500)))
      clock.nowMs += 60_000
      const muchLater = Math.max(...(await heldFor(receivers, 1_000)))
      expect(later).toBeGreaterThan(10_000)
      expect(later).toBeLessThanOrEqual(24_000)
      expect(muchLater).toBeGreaterThan(50_000)
    })
  })

  describe('a receiver that answers', () => {
    test('is given more at once with each answer, up to all places', async () => {
      const receivers = open()
      await deliver(receivers, good, 50)
      expect(await hang(receivers, 200, () => visit('a'))).toBe(60)
    })

    test('is given few again when a delivery fails', async () => {
      const receivers = open()
      await deliver(receivers, good, 50)
      await deliver(receivers, bad('status', 500), 1)
      expect(await hang(receivers, 200, () => visit('a'))).toBe(10)
    })

    test('has the next wait for it in their places', async () => {
      const receivers = open()
      const first = await Promise.all(Array.from({ length: 10 }, () => receivers.enter(visit('a'))))
      const more = Array.from({ length: 30 }, () => receivers.enter(visit('a')))
      for (const one of first) entered(one).leave(good)
      for (const one of more) entered(await one).leave(good)
    })
  })

  describe('the breaker of a receiver', () => {
    const failures: readonly DeliveryOutcome[] = [
      bad('timeout'),
      bad('connect'),
      bad('dns'),
      bad('tls'),
      bad('reset'),
      bad('status', 500),
      bad('status', 503),
    ]
    test.each(failures)(
      'opens when three deliveries fail one after the other: $reason $status',
      async outcome => {
        const told: [string, number][] = []
        const receivers = open({ onShut: (origin, untilMs) => told.push([origin, untilMs]) })
        await deliver(receivers, outcome, 3)
        const held = await receivers.enter(visit('a'))
        expect(held).toMatchObject({ kind: 'held', down: true })
        expect(held.kind === 'held' && held.dueAtMs).toBeGreaterThanOrEqual(clock.nowMs + 10_000)
        expect(told).toEqual([['a', clock.nowMs + 10_000]])
        entered(await receivers.enter(visit('b')))
      },
    )

    test.each([
      ['an answer that is about the event', bad('status', 400)],
      ['one that wants no more', bad('gone', 410)],
      ['an address that is forbidden', bad('forbidden_address')],
      ['a stop of ours', bad('aborted')],
      ['throttling without a time', bad('status', 429)],
    ])('is not opened by %s', async (_, outcome) => {
      const receivers = open()
      await deliver(receivers, outcome, 20)
      entered(await receivers.enter(visit('a')))
    })

    test('is not opened by one event that fails again and again', async () => {
      const receivers = open()
      for (let i = 0; i < 10; i++)
        entered(await receivers.enter(visit('a', 'default', 'same'))).leave(bad('timeout'))
      entered(await receivers.enter(visit('a')))
    })

    test('begins to count anew after a success', async () => {
      const receivers = open()
      for (let i = 0; i < 5; i++) {
        await deliver(receivers, bad('timeout'), 2)
        await deliver(receivers, good, 1)
      }
      entered(await receivers.enter(visit('a')))
    })

    test('lets one delivery show how it is, and closes upon its success', async () => {
      const receivers = open()
      await deliver(receivers, bad('timeout'), 3)
      clock.nowMs += 10_000
      const probe = entered(await receivers.enter(visit('a')))
      const waiting = [receivers.enter(visit('a')), receivers.enter(visit('a'))]
      probe.leave(good)
      for (const one of waiting) entered(await one)
    })

    test('stays open for twice as long with each failure more, up to the most', async () => {
      const receivers = open()
      await deliver(receivers, bad('timeout'), 3)
      let openMs = 10_000
      for (const next of [20_000, 40_000, 40_000]) {
        clock.nowMs += openMs
        await deliver(receivers, bad('timeout'), 1)
        clock.nowMs += next - 1
        expect((await receivers.enter(visit('a'))).kind).toBe('held')
        clock.nowMs += 1
        openMs = 0
      }
      entered(await receivers.enter(visit('a')))
    })

    test.each([
      [429, 60_000, 60_000],
      [503, 60_000, 60_000],
      [429, 86_400_000, 300_000],
    ])('is open for as long as a %i asks, and 5 minutes at most', async (status, askedMs, openMs) => {
      const receivers = open()
      await deliver(receivers, bad('status', status, askedMs), 1)
      clock.nowMs += openMs - 1
      expect(await receivers.enter(visit('a'))).toMatchObject({ kind: 'held', down: true })
      clock.nowMs += 1
      entered(await receivers.enter(visit('a')))
    })

    test('is taken over from another process', async () => {
      const receivers = open()
      receivers.shut('a', clock.nowMs + 5_000)
      expect((await receivers.enter(visit('a'))).kind).toBe('held')
      clock.nowMs += 5_000
      entered(await receivers.enter(visit('a')))
    })

    test('is forgotten when nobody sends there any more', async () => {
      const receivers = open()
      await deliver(receivers, bad('timeout'), 2)
      clock.nowMs += 600_001
      receivers.tidy()
      await deliver(receivers, bad('timeout'), 2)
      entered(await receivers.enter(visit('a')))
    })
  })
})
