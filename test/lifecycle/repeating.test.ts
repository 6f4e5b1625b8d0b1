import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import { createLogger } from '../../src/lifecycle/logger.ts'
import { createRepeating } from '../../src/lifecycle/repeating.ts'

const lines: string[] = []
const log = createLogger(
  'info',
  new Writable({
    write: (chunk, _, done) => {
      lines.push(String(chunk))
      done()
    },
  }),
)

describe('a repeating task', () => {
  it('goes on after failures, and tells of each streak once', async () => {
    let rounds = 0
    const fails = (round: number): boolean => round <= 3 || (round >= 6 && round <= 8)
    const task = createRepeating(
      'task',
      1,
      async () => {
        rounds += 1
        if (fails(rounds)) throw new Error('away')
      },
      log,
    )
    task.start()
    task.start()
    await until(() => rounds >= 10)
    await task.stop()
    const roundsAtStop = rounds
    await task.stop()
    expect(rounds).toBe(roundsAtStop)
    expect(lines.filter(line => line.includes('background task failed'))).toHaveLength(2)
  })

  it('stops once the round under way has ended', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let began = false
    const task = createRepeating(
      'task',
      1,
      () => {
        began = true
        return promise
      },
      log,
    )
    task.start()
    await until(() => began)
    let isStopped = false
    const stopped = task.stop().then(() => {
      isStopped = true
    })
    await new Promise(setImmediate)
    expect(isStopped).toBe(false)
    resolve()
    await stopped
  })

  it('may be stopped before it starts', async () => {
    let rounds = 0
    const task = createRepeating('task', 1, async () => void rounds++, log)
    await task.stop()
    task.start()
    await task.stop()
    expect(rounds).toBe(0)
  })

  it('makes its next round at once when it is asked to, also during one', async () => {
    const first = Promise.withResolvers<void>()
    let rounds = 0
    const task = createRepeating(
      'task',
      3_600_000,
      async () => {
        rounds += 1
        if (rounds === 1) await first.promise
      },
      log,
    )
    task.start()
    await until(() => rounds === 1)
    task.soon()
    first.resolve()
    await until(() => rounds === 2)
    // By now it pauses.
    await new Promise(setImmediate)
    task.soon()
    await until(() => rounds === 3)
    await task.stop()
  })
})
