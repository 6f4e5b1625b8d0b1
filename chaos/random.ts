/** Chance that is the same for the same seed, so that a run can be repeated. */
export interface Random {
  /** From 0 up to, and without, 1. */
  next(): number
  /** A whole number from `least` to `most`. */
  int(least: number, most: number): number
  chance(share: number): boolean
  pick<T>(items: readonly T[]): T
  shuffle<T>(items: readonly T[]): T[]
  /** A source of its own, so that more draws here change nothing there. */
  fork(): Random
}

/** mulberry32: 32 bits of state, which is plenty for a plan. */
const mulberry32 = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export const createRandom = (seed: number): Random => {
  const next = mulberry32(seed)
  const int = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    int,
    chance: share => next() < share,
    pick: items => items[int(0, items.length - 1)]!,
    shuffle: items => {
      const left = [...items]
      const shuffled = []
      while (left.length > 0) shuffled.push(...left.splice(int(0, left.length - 1), 1))
      return shuffled
    },
    fork: () => createRandom(Math.floor(next() * 2 ** 32)),
  }
}
