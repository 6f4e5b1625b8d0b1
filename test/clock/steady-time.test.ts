import { describe, expect, it } from 'vitest'
import { createSteadyTime, type Look } from '../../src/clock/steady-time.ts'

const startMs = 1_800_000_000_000
const look = (askedAtMs: number, toldMs: number, answeredAtMs: number): Look => ({
  askedAtMs,
  toldMs,
  answeredAtMs,
})

const open = () => {
  const own = { ms: 0 }
  return { own, time: createSteadyTime(look(0, startMs, 0), () => own.ms) }
}

describe('steady time', () => {
  it('goes with our own clock between two looks', () => {
    const { own, time } = open()
    own.ms = 2_000.7
    expect(time.now()).toBe(startMs + 2_000)
  })

  it.each([
    ['agrees', look(1_000, startMs + 1_002, 1_004), 0],
    ['took long, and agrees with all that may have been', look(1_000, startMs + 1_000, 61_000), 0],
    ['shows the other clock ahead', look(1_000, startMs + 1_014, 1_004), 10],
    ['shows the other clock behind', look(1_000, startMs + 990, 1_004), -10],
    ['shows a step forward', look(1_000, startMs + 601_004, 1_004), 600_000],
  ])('is corrected by no more than a look tells: one that %s', (_, seen, movedMs) => {
    expect(open().time.correct(seen)).toBe(movedMs)
  })

  it('stands still where it would go back a little', () => {
    const { own, time } = open()
    own.ms = 1_000
    time.now()
    time.correct(look(1_000, startMs + 900, 1_000))
    expect(time.now()).toBe(startMs + 1_000)
    own.ms = 1_050
    expect(time.now()).toBe(startMs + 1_000)
    own.ms = 1_150
    expect(time.now()).toBe(startMs + 1_050)
  })

  it('goes back at once where it would stand still for long', () => {
    const { own, time } = open()
    own.ms = 10_000
    time.now()
    time.correct(look(10_000, startMs + 1_000, 10_000))
    expect(time.now()).toBe(startMs + 1_000)
  })
})
