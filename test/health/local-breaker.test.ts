import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createGuard, type Guard, type GuardOutcome } from '../../src/health/local-breaker.ts'

const options = { windowMs: 200, errorPercent: 50, minCalls: 4, resetMs: 150 }

let guard: Guard
let opened: number

beforeEach(() => {
  opened = 0
  const count = (line: string): void => {
    if ((JSON.parse(line) as { state: string }).state === 'open') opened += 1
  }
  guard = createGuard('first', options, pino({ level: 'warn' }, { write: count }))
})
afterEach(() => guard.close())

const at = (outcome: GuardOutcome) =>
  guard.run(
    async () => outcome,
    o => o,
  )
const times = async (count: number, outcome: GuardOutcome): Promise<void> => {
  for (let i = 0; i < count; i++) await at(outcome)
}
/** A call that ends when the test says how. */
const begun = () => {
  const { promise, resolve } = Promise.withResolvers<GuardOutcome>()
  const result = guard.run(
    () => promise,
    o => o,
  )
  return {
    end: async (outcome: GuardOutcome) => {
      resolve(outcome)
      return result
    },
  }
}
const halfOpen = async (): Promise<void> => {
  await times(4, 'failure')
  await until(() => guard.state === 'half_open')
}

describe('a closed guard', () => {
  it('opens on failures, tells so once, and lets nothing pass', async () => {
    await times(4, 'failure')
    expect(guard.state).toBe('open')
    expect(opened).toBe(1)
    let called = false
    const result = await guard.run(
      async () => {
        called = true
        return 'success' as const
      },
      o => o,
    )
    expect(result).toBeNull()
    expect(called).toBe(false)
  })

  it('opens on failures of calls that take longer than the window', async () => {
    const calls = Array.from({ length: 4 }, begun)
    await delay(options.windowMs * 1.5) // the window itself is what is waited for
    for (const call of calls) await call.end('failure')
    expect(guard.state).toBe('open')
  })

  it('stays closed below the share or the number of failures', async () => {
    await times(3, 'failure')
    expect(guard.state).toBe('closed')
    await times(3, 'success')
    await times(1, 'failure')
    expect(guard.state).toBe('open') // 4 of 7
  })

  it('stays closed when as many succeed', async () => {
    for (let i = 0; i < 20; i++) await times(1, i % 2 ? 'failure' : 'success')
    expect(guard.state).toBe('closed')
  })

  it('never opens on answers that are no failure of the provider, throttling among them', async () => {
    await times(50, 'success')
    await times(50, 'ignored')
    expect(guard.state).toBe('closed')
    await times(4, 'failure')
    expect(guard.state).toBe('closed') // 4 of 54: what was ignored has not been counted
  })

  it('does not take what was ignored for success', async () => {
    await times(50, 'ignored')
    await times(4, 'failure')
    expect(guard.state).toBe('open')
  })
})

describe('a half-open guard', () => {
  it('lets exactly one call through, and closes when that succeeds', async () => {
    await halfOpen()
    const probe = begun()
    const others = await Promise.all(Array.from({ length: 20 }, () => at('success')))
    expect(others).toEqual(others.map(() => null))
    expect(guard.state).toBe('half_open')
    expect(await probe.end('success')).toBe('success')
    expect(guard.state).toBe('closed')
    expect(await at('success')).toBe('success')
  })

  it.each(['failure', 'ignored'] as const)('opens again when that call ends as %s', async outcome => {
    await halfOpen()
    expect(await begun().end(outcome)).toBe(outcome)
    expect(guard.state).toBe('open')
    expect(opened).toBe(2)
    await until(() => guard.state === 'half_open')
  })

  it('is not decided by calls that began before', async () => {
    const early = Array.from({ length: 8 }, begun)
    await halfOpen()
    for (const call of early.slice(0, 4)) await call.end('success')
    expect(guard.state).toBe('half_open')
    expect(await at('success')).toBe('success')
    for (const call of early.slice(4)) expect(await call.end('failure')).toBe('failure')
    expect(guard.state).toBe('closed')
  })
})

describe('a guard that follows the cluster', () => {
  it('lets nothing pass while it is forced open, whatever its own clock says', async () => {
    guard.force('open')
    expect(guard.state).toBe('open')
    await delay(options.resetMs * 1.5) // its own clock is what is waited for
    expect(await at('success')).toBeNull()
    expect(guard.state).toBe('open')
    expect(opened).toBe(0) // told by the cluster, which needs no telling
  })

  it('has forgotten its failures when it is let go', async () => {
    await times(4, 'failure')
    guard.force('open')
    guard.force('closed')
    expect(guard.state).toBe('closed')
    await times(3, 'failure')
    expect(guard.state).toBe('closed')
    await times(1, 'failure')
    expect(guard.state).toBe('open')
  })

  it('does not count a call that began before it was forced', async () => {
    const early = Array.from({ length: 8 }, begun)
    guard.force('open')
    guard.force('closed')
    for (const call of early) await call.end('failure')
    expect(guard.state).toBe('closed')
  })
})
