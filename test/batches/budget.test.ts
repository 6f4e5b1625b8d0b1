import { afterAll, describe, expect, test } from 'vitest'
import { linesWithin } from '../../src/batches/budget.ts'
import { resume } from '../../src/batches/progress.ts'
import { createWindow } from '../../src/batches/window.ts'
import { openBatches } from './store/batch-fixture.ts'

const { work, store, leased, record, feedOf, collection, close } = openBatches()
afterAll(close)

const unlimited = Number.POSITIVE_INFINITY

describe('the budget of a batch', () => {
  test.each([
    ['no limit', null, { cost: 9, ended: 9, open: 9 }, unlimited],
    ['a few lines at first', 10, { cost: 0, ended: 0, open: 0 }, 4],
    ['then wait for what they cost', 10, { cost: 0, ended: 0, open: 4 }, 0],
    ['twice as many as have ended', 1_000, { cost: 4, ended: 4, open: 0 }, 8],
    ['less those that are under way', 1_000, { cost: 4, ended: 4, open: 5 }, 3],
    ['as many as the rest pays for', 10, { cost: 4, ended: 4, open: 0 }, 6],
    ['counting those under way at the mean', 10, { cost: 4, ended: 4, open: 4 }, 2],
    ['wait while those under way may take it all', 10, { cost: 4, ended: 4, open: 6 }, 0],
    ['the end when the next would pass it', 10, { cost: 9.5, ended: 9, open: 0 }, 'spent'],
    ['the end when it is passed', 10, { cost: 12, ended: 4, open: 0 }, 'spent'],
    ['but not while some are under way', 10, { cost: 12, ended: 4, open: 1 }, 0],
    ['the last line that fits, whatever fractions say', 0.3, { cost: 0.2, ended: 2, open: 0 }, 1],
    ['lines without a price', 10, { cost: 0, ended: 50, open: 0 }, 100],
  ])('%s', (_, limit, spending, lines) => {
    expect(linesWithin(limit, spending)).toBe(lines)
  })

  test('a feeder that takes a batch up counts the lines that ended without an answer, too, and stops no earlier', async () => {
    const lease = await leased(8, { maxCostUsd: 10 })
    await work.feed(lease, feedOf(lease.id, 0, 4))
    const { jobs } = feedOf(lease.id, 0, 4)
    for (const { id } of jobs) await store.cancel(id)
    const entries = jobs.map(({ id }) => id)
    // One of four was answered, for 4 dollars in all.
    const some = { cost: 4e8, providers: new Map([['first', 1]]), lowWatermark: 4 }
    await work.collect(lease, await record(lease.id), collection(entries, some))
    const { cost, ended, open } = await resume(
      work,
      await record(lease.id),
      createWindow({ jobs: 9, bytes: 9e6 }),
    )
    expect({ cost, ended, open: open.size }).toEqual({ cost: 4, ended: 4, open: 0 })
    expect(linesWithin(10, { cost, ended, open: open.size })).toBe(6)
  })
})
