import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { historyView } from '../../src/api/operator/history-view.ts'
import { createCostMeter, createHistory, createMinutes, type HistoryRow } from '../../src/health/history.ts'
import { createApiRedis } from '../../src/redis/connect.ts'
import { testRedis } from '../support/redis.ts'

const sample = (ended: number, state = 'healthy', waiting = 3) => ({
  counted: new Map([['w', { ended, 'attempts:openai': ended }]]),
  providers: [{ name: 'openai', state, waiting }],
})

describe('history', () => {
  it('sums a minute up when it is over, with the worst state that was seen in it', () => {
    const add = createMinutes()
    expect(add(60_000, sample(0))).toBeNull()
    expect(add(80_000, sample(60, 'down'))).toBeNull()
    expect(add(118_000, sample(116, 'recovering', 5))).toBeNull()
    const row = add(121_000, sample(120))
    expect(row).toMatchObject({
      at: 60,
      ended: 2,
      waiting: 5,
      providers: { openai: [2, 0, null, 5, 'down'] },
    })
    expect(add(122_000, sample(121))).toBeNull()
    // What was worse is of the minute before.
    expect(add(181_000, sample(240))?.providers.openai?.[4]).toBe('healthy')
  })

  it('counts what was spent between two looks, also over the turn of the hour', () => {
    const since = createCostMeter()
    expect(since(new Map([[7, 1e8]]))).toBeNull()
    expect(since(new Map([[7, 3e8]]))).toBe(2)
    expect(
      since(
        new Map([
          [7, 4e8],
          [8, 5e7],
        ]),
      ),
    ).toBe(1.5)
    expect(
      since(
        new Map([
          [8, 5e7],
          [9, 0],
        ]),
      ),
    ).toBe(0)
  })

  it('is a ring: it never takes more than 25 hours, and what is older is not shown', async () => {
    const { url, prefix } = testRedis()
    const redis = createApiRedis(url, pino({ level: 'silent' }))
    await new Promise<void>(ready => redis.once('ready', ready))
    const history = createHistory(redis, prefix)
    const row = (at: number): HistoryRow => ({
      ...{ at, accepted: 1, ended: 1, failed: 0, handovers: 0, waiting: 0, providers: {} },
    })
    const day = 25 * 3_600
    for (const at of [120, 60, 60 + day]) await history.write(row(at))
    expect((await history.read(0, 2 * day)).map(({ at }) => at)).toEqual([120, 60 + day])
    expect((await history.read(60 + day, 2 * day)).map(({ at }) => at)).toEqual([60 + day])
    redis.disconnect()
  })

  it('is shown by columns', () => {
    const rows: HistoryRow[] = [
      {
        ...{ at: 60, accepted: 1, ended: 2, failed: 0, handovers: 0, waiting: 4 },
        providers: { a: [1, 0, 9, 4, 'down'] },
      },
      { ...{ at: 120, accepted: null, ended: 3, failed: 0, handovers: 0, waiting: 0 }, providers: {} },
    ]
    expect(historyView(rows, ['accepted', 'provider:a:state', 'provider:b:p95_ms'])).toEqual({
      at: [60, 120],
      series: { accepted: [1, null], 'provider:a:state': ['down', null], 'provider:b:p95_ms': [null, null] },
    })
    expect(Object.keys(historyView(rows, []).series)).toHaveLength(11)
  })
})
