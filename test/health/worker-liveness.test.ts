import { describe, expect, it } from 'vitest'
import { createSightings } from '../../src/health/worker-liveness.ts'

const startMs = 1_000_000_000

/** Who has no worker after these looks, and since which second: `[at, {provider: what its heartbeat says}]`. */
const unmannedAfter = (looks: readonly (readonly [number, Readonly<Record<string, number>>])[]) => {
  const sightings = createSightings(['first', 'second'], 30_000)
  for (const [at, beats] of looks) {
    const told = Object.entries(beats).map(([provider, seenAtMs]) => ({ provider, instance: 'i', seenAtMs }))
    sightings.saw(told, startMs + at * 1_000)
  }
  const since = (provider: string) => {
    const sinceMs = sightings.withoutWorkerSince(provider)
    return sinceMs === 0 ? null : (sinceMs - startMs) / 1_000
  }
  return { first: since('first'), second: since('second') }
}
/** A look each two seconds. */
const looks = (from: number, to: number, beats: (at: number) => Readonly<Record<string, number>>) =>
  Array.from({ length: (to - from) / 2 + 1 }, (_, i) => [from + 2 * i, beats(from + 2 * i)] as const)
const none = () => ({})
const both = (at: number) => ({ first: at, second: at })

describe('a provider without a worker', () => {
  it.each([
    ['is not missed while somebody looks for the first time', looks(0, 28, none), null],
    ['is missed when nobody came', looks(0, 30, none), 0],
    ['is not missed for a moment', [...looks(0, 40, both), ...looks(42, 68, none)], null],
    ['is missed when that is long enough', [...looks(0, 40, both), ...looks(42, 70, none)], 40],
    [
      'is missed though its last heartbeat still stands',
      [...looks(0, 40, both), ...looks(42, 70, () => ({ first: 40, second: 40 }))],
      40,
    ],
    ['is not missed any more when one comes', [...looks(0, 30, none), ...looks(32, 32, both)], null],
    ['is not missed right after an outage of Redis', [...looks(0, 40, both), ...looks(90, 118, none)], null],
    ['is missed some time after an outage', [...looks(0, 40, both), ...looks(90, 120, none)], 90],
  ])('%s', (_, seen, since) => {
    expect(unmannedAfter(seen)).toEqual({ first: since, second: since })
  })

  it('is told from one that has some, whatever the clock of their machine says', () => {
    const seen = looks(0, 60, at => ({ second: at - 100_000 }))
    expect(unmannedAfter(seen)).toEqual({ first: 0, second: null })
  })

  it('has none as soon as all of its workers are silent', () => {
    const sightings = createSightings(['first'], 30_000)
    const beat = (instance: string, seenAtMs: number) => ({ provider: 'first', instance, seenAtMs })
    sightings.saw([beat('a', 1), beat('b', 1)], startMs)
    for (let at = 2; at <= 60; at += 2) sightings.saw([beat('a', 1), beat('b', at)], startMs + at * 1_000)
    expect(sightings.withoutWorkerSince('first')).toBe(0)
  })
})
