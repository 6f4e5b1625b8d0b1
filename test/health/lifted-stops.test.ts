import { beforeEach, expect, it } from 'vitest'
import type { Cooldown, Scope } from '../../src/health/cooldowns.ts'
import { createLiftedStops, type LiftedStops } from '../../src/health/lifted-stops.ts'

let current: readonly Cooldown[]
let nowMs: number
let lifted: LiftedStops

beforeEach(() => {
  nowMs = 1_000
  current = []
  lifted = createLiftedStops({
    provider: 'first',
    cooldowns: { current: () => current.filter(({ untilMs }) => untilMs > nowMs) },
    keys: { has: fingerprint => fingerprint === 'own' },
    now: () => nowMs,
  })
})

const stop = (scope: Scope, state: Cooldown['state'] = 'stopped'): Cooldown => ({
  ...{ scope, state, untilMs: 300_000, sinceMs: 0, reason: 'refused' },
})
const read = (...stops: Cooldown[]): string[] => {
  current = stops
  return [...lifted.read().keys()]
}

it('are those that are gone before their time, until it comes', () => {
  const [whole, model] = [stop('provider:first'), stop('target:first/m')]
  expect(read(whole, model)).toEqual([])
  expect(read(whole)).toEqual(['target:first/m'])
  expect(read()).toEqual(['target:first/m', 'provider:first'])
  expect(read(model)).toEqual(['provider:first'])
  nowMs = 300_000
  expect(read()).toEqual([])
})

it('are those of keys that were replaced, as long as they stand', () => {
  expect(read(stop('key:first#own'))).toEqual([])
  expect(read(stop('key:first#old'))).toEqual(['key:first#old'])
  nowMs = 300_000
  expect(read(stop('key:first#old'))).toEqual([])
})

it('are no throttles, and nothing of another provider', () => {
  read(stop('provider:first', 'throttled'), stop('provider:second'), stop('target:second/m'))
  expect(read(stop('key:second#old'))).toEqual([])
})
