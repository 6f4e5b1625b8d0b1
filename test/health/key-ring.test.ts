import { describe, expect, it } from 'vitest'
import type { Cooldowns } from '../../src/health/cooldowns.ts'
import { createKeyRing } from '../../src/health/key-ring.ts'

const keys = ['key-a', 'key-b', 'key-c']

/** As much of a cooldowns as a ring asks: until when which key is stopped. */
const stopping = (until: ReadonlyMap<string, number>): Cooldowns => ({
  start: async () => undefined,
  stop: async () => undefined,
  unavailableUntil: () => 0,
  unavailableKeyUntil: (provider, fingerprint) => until.get(`${provider}#${fingerprint}`) ?? 0,
  suspend: () => undefined,
  lift: async () => undefined,
  current: () => [],
})
const drawn = (ring: ReturnType<typeof createKeyRing>, count: number) =>
  Array.from({ length: count }, () => {
    const key = ring.next()
    return key === null || key === 'none' ? key : key.key
  })

const fingerprints = (): string[] => {
  const ring = createKeyRing('first', keys, stopping(new Map()))
  return keys.map(() => {
    const key = ring.next()
    if (key === null || key === 'none') throw new Error('no key')
    return key.fingerprint
  })
}

describe('the key ring', () => {
  it('uses the keys in turn', () => {
    expect(drawn(createKeyRing('first', keys, stopping(new Map())), 4)).toEqual([
      'key-a',
      'key-b',
      'key-c',
      'key-a',
    ])
  })

  it('passes over keys that were stopped, at this provider alone', () => {
    const [a, b, c] = fingerprints()
    const stopped = new Map([[`first#${b}`, 500]])
    const ring = createKeyRing('first', keys, stopping(stopped))
    expect(drawn(ring, 3)).toEqual(['key-a', 'key-c', 'key-a'])
    expect(ring.unavailableUntil()).toBe(0)
    expect(drawn(createKeyRing('second', keys, stopping(stopped)), 2)).toEqual(['key-a', 'key-b'])

    stopped.set(`first#${a}`, 700).set(`first#${c}`, 600)
    expect(drawn(ring, 2)).toEqual([null, null])
    expect(ring.unavailableUntil()).toBe(500)
    stopped.delete(`first#${c}`)
    expect(drawn(ring, 2)).toEqual(['key-c', 'key-c'])
  })

  it('needs no key where none is configured', () => {
    const ring = createKeyRing('first', [], stopping(new Map()))
    expect(ring.next()).toBe('none')
    expect(ring.unavailableUntil()).toBe(0)
  })

  it('names keys without telling them', () => {
    for (const [i, fingerprint] of fingerprints().entries()) {
      expect(fingerprint).toMatch(/^[0-9a-f]{8}$/)
      expect(fingerprint).not.toContain(keys[i])
    }
  })

  it('tells the keys in use, the next one first, and goes on after the one that was used', () => {
    const stopped = new Map<string, number>()
    const ring = createKeyRing('first', ['key-a', 'key-b', 'key-c'], stopping(stopped))
    const inUse = () => ring.inUse().map(key => (key === 'none' ? key : key.key))
    expect(inUse()).toEqual(['key-a', 'key-b', 'key-c'])
    ring.used(ring.inUse()[1]!)
    expect(inUse()).toEqual(['key-c', 'key-a', 'key-b'])
    expect(createKeyRing('first', [], stopping(stopped)).inUse()).toEqual(['none'])
  })

  it('knows an identity by its fingerprint, and no other is stopped with it', () => {
    const board = stopping(new Map([['first#id-1', 5_000]]))
    const [one, other] = ['id-1', 'id-2'].map(identity => createKeyRing('first', [], board, identity))
    expect([one!.next(), one!.inUse(), one!.unavailableUntil()]).toEqual([null, [], 5_000])
    expect([other!.next(), other!.inUse(), other!.unavailableUntil()]).toEqual(['none', ['none'], 0])
    expect(one!.scopeOf('none')).toBe('key:first#id-1')
    expect(createKeyRing('first', [], board).scopeOf('none')).toBe('provider:first')
  })
})
