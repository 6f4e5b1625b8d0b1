/** Calls of the last while are expected to come again in the next. */
const whileMs = 500

/** How many calls are expected in half a second, by how many there were. Times are steady ms. */
export interface CallRate {
  note(nowMs: number): void
  expected(nowMs: number): number
}

export const createCallRate = (): CallRate => {
  let fromMs = 0
  let calls = 0
  let before = 0

  const expected = (nowMs: number): number => {
    const age = nowMs - fromMs
    if (age >= whileMs) {
      before = age >= 2 * whileMs ? 0 : calls
      calls = 0
      fromMs = nowMs
    }
    return Math.max(before, calls)
  }

  return {
    note: nowMs => {
      expected(nowMs)
      calls += 1
    },
    expected,
  }
}
