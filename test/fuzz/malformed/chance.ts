/** Draws that a seed determines. */
export interface Chance {
  /** 0 to `below`, which is not among them. */
  whole(below: number): number
  /** True that often, of 1. */
  hit(share: number): boolean
  pick<T>(from: readonly T[]): T
  /** A text of up to `length` characters of any kind. */
  text(length: number): string
  bytes(length: number): Buffer
}

/** Mulberry32: 32 bits of state are enough to tell one request from another. */
export const createChance = (seed: number): Chance => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (below: number): number => Math.floor(next() * below)
  const planes = [0x80, 0x80, 0x80, 0x800, 0x10000, 0x110000]
  const point = (): number => whole(planes[whole(planes.length)]!)
  return {
    whole,
    hit: share => next() < share,
    pick: from => from[whole(from.length)]!,
    text: length => String.fromCodePoint(...Array.from({ length: whole(length + 1) }, point)),
    bytes: length => Buffer.from(Array.from({ length }, () => whole(256))),
  }
}
