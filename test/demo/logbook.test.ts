import { describe, expect, test } from 'vitest'
import { createLogbook } from '../../demo/logbook.ts'

describe("the demo's logbook", () => {
  test('the logbook counts what the workers told, and passes it on', () => {
    const passed: string[] = []
    const logbook = createLogbook({ write: line => passed.push(line) })
    const lines = [
      { msg: 'attempt failed', jobId: 'a', hop: 0, verdict: 'rate_limited' },
      { msg: 'job handed over', jobId: 'a', hop: 1 },
      // The second target was known to be out, so no call was made before this one.
      { msg: 'job handed over', jobId: 'a', hop: 2 },
      { msg: 'attempt interrupted', jobId: 'b', hop: 0 },
      { msg: 'job parked', jobId: 'a' },
      { msg: 'job parked', jobId: 'a' },
      { msg: 'started' },
    ].map(line => `${JSON.stringify(line)}\n`)
    for (const line of lines) logbook.write(line)

    expect(passed).toEqual(lines)
    expect(Object.fromEntries(logbook.handovers)).toEqual({
      rate_limited: 1,
      'no call (target known to be out)': 1,
    })
    expect(Object.fromEntries(logbook.failedCalls)).toEqual({ rate_limited: 1, interrupted: 1 })
    expect([...logbook.parked]).toEqual(['a'])
  })
})
