import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createLocalBreaker, type HealthOutcome, type LocalBreaker } from '../../src/health/local-breaker.ts'

const options = { windowMs: 200, errorPercent: 50, minCalls: 4, resetMs: 150 }

let breaker: LocalBreaker
let opened: number

beforeEach(() => {
  opened = 0
  const count = (line: string): void => {
    if ((JSON.parse(line) as { state: string }).state === 'open') opened += 1
  }
  breaker = createLocalBreaker('first', options, pino({ level: 'warn' }, { write: count }))
})
afterEach(() => breaker.close())

/** One call; null where it does not pass. */
const at = async (outcome: HealthOutcome): Promise<HealthOutcome | null> => {
  const permit = breaker.enter()
  await permit?.settle(outcome)
  return permit && outcome
}
const times = async (count: number, outcome: HealthOutcome): Promise<void> => {
  for (let i = 0; i < count; i++) await at(outcome)
}
/** A call that ends when the test says how. */
const begun = () => {
  const permit = breaker.enter()
  return {
    end: async (outcome: HealthOutcome) => {
      await permit?.settle(outcome)
      return permit && outcome
    },
  }
}
const halfOpen = async (): Promise<void> => {
  await times(4, 'failure')
  await until(() => breaker.state === 'half_open')
}

describe('a closed breaker', () => {
  it('opens on failures, tells so once, and lets nothing pass', async () => {
    await times(4, 'failure')
    expect(breaker.state).toBe('open')
    expect(opened).toBe(1)
    expect(breaker.enter()).toBeNull()
  })

  it('opens on failures of calls that take longer than the window', async () => {
    const calls = Array.from({ length: 4 }, begun)
    await delay(options.windowMs * 1.5) // the window itself is what is waited for
    for (const call of calls) await call.end('failure')
    expect(breaker.state).toBe('open')
  })

  it('stays closed below the share or the number of failures', async () => {
    await times(3, 'failure')
    expect(breaker.state).toBe('closed')
    await times(3, 'success')
    await times(1, 'failure')
    expect(breaker.state).toBe('open') // 4 of 7
  })

  it('stays closed when as many succeed', async () => {
    for (let i = 0; i < 20; i++) await times(1, i % 2 ? 'failure' : 'success')
    expect(breaker.state).toBe('closed')
  })

  it('never opens on answers that are no failure of the provider, throttling among them', async () => {
    await times(50, 'success')
    await times(50, 'ignored')
    expect(breaker.state).toBe('closed')
    await times(4, 'failure')
    expect(breaker.state).toBe('closed') // 4 of 54: what was ignored has not been counted
  })

  it('does not take what was ignored for success', async () => {
    await times(50, 'ignored')
    await times(4, 'failure')
    expect(breaker.state).toBe('open')
  })
})

describe('a half-open breaker', () => {
  it('lets exactly one call through, and closes when that succeeds', async () => {
    await halfOpen()
    const probe = begun()
    const others = await Promise.all(Array.from({ length: 20 }, () => at('success')))
    expect(others).toEqual(others.map(() => null))
    expect(breaker.state).toBe('half_open')
    expect(await probe.end('success')).toBe('success')
    expect(breaker.state).toBe('closed')
    expect(await at('success')).toBe('success')
  })

  it.each(['failure', 'ignored'] as const)('opens again when that call ends as %s', async outcome => {
    await halfOpen()
    expect(await begun().end(outcome)).toBe(outcome)
    expect(breaker.state).toBe('open')
    expect(opened).toBe(2)
    await until(() => breaker.state === 'half_open')
  })

  it('is not decided by calls that began before', async () => {
    const early = Array.from({ length: 8 }, begun)
    await halfOpen()
    for (const call of early.slice(0, 4)) await call.end('success')
    expect(breaker.state).toBe('half_open')
    expect(await at('success')).toBe('success')
    for (const call of early.slice(4)) expect(await call.end('failure')).toBe('failure')
    expect(breaker.state).toBe('closed')
  })
})

describe('a breaker that follows the cluster', () => {
  it('lets nothing pass while it is forced open, whatever its own clock says', async () => {
    breaker.force('open')
    expect(breaker.state).toBe('open')
    await delay(options.resetMs * 1.5) // its own clock is what is waited for
    expect(await at('success')).toBeNull()
    expect(breaker.state).toBe('open')
    expect(opened).toBe(0) // told by the cluster, which needs no telling
  })

  it('has forgotten its failures when it is let go', async () => {
    await times(4, 'failure')
    breaker.force('open')
    breaker.force('closed')
    expect(breaker.state).toBe('closed')
    await times(3, 'failure')
    expect(breaker.state).toBe('closed')
    await times(1, 'failure')
    expect(breaker.state).toBe('open')
  })

  it('does not count a call that began before it was forced', async () => {
    const early = Array.from({ length: 8 }, begun)
    breaker.force('open')
    breaker.force('closed')
    for (const call of early) await call.end('failure')
    expect(breaker.state).toBe('closed')
  })
})
