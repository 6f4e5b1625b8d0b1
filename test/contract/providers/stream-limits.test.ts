import { describe, expect, test } from 'vitest'
import type { UpstreamOutcome } from '../../../src/domain/upstream.ts'
import {
  firstTokenFloorMs,
  idleFloorMs,
  noSilences,
  StreamPaces,
  silenceLimitMs,
  unknownMs,
  withCut,
  withSilence,
} from '../../../src/providers/stream-limits.ts'

const bounds = { unknownMs: 100, floorMs: 20, ceilingMs: 1_000 }
const seen = (...ms: number[]) => ms.reduce(withSilence, noSilences)

describe('how long a stream may keep silent', () => {
  test.each([
    ['nothing was seen', noSilences, 100],
    ['too little was seen', seen(1, 1, 1, 1), 100],
    ['it is quick', seen(1, 2, 3, 2, 1), 20],
    ['it takes its time', seen(30, 50, 70, 50, 30), 210],
    ['it is very slow', seen(900, 900, 900, 900, 900), 1_000],
    ['one was cut off', withCut(seen(30, 50, 70, 50, 30)), 420],
    ['two were cut off', withCut(withCut(seen(30, 50, 70, 50, 30))), 840],
    ['many were cut off', Array.from({ length: 50 }).reduce(withCut, noSilences), 1_000],
    ['one came after those that were cut off', withSilence(withCut(seen(1, 1, 1, 1)), 1), 20],
    ['a slow one is long past', seen(300, ...Array(32).fill(2)), 20],
  ])('%s', (_, silences, limit) => {
    expect(silenceLimitMs(silences as typeof noSilences, bounds)).toBe(limit)
  })
})

const answer: UpstreamOutcome = { kind: 'answer', status: 200, headers: {}, text: '', json: {} }
const broken = (reason: 'first_token_timeout' | 'idle_timeout' | 'reset'): UpstreamOutcome => ({
  ...{ kind: 'break', reason, sent: true, cause: null },
})

describe('the pace of a provider’s models', () => {
  const timeoutMs = 300_000
  const reasons = (model: string) => model === 'thinker' || undefined
  const auto = { first: 'auto', idle: 'auto', timeoutMs, reasons } as const
  const record = (paces: StreamPaces, model: string, times: number, firstTokenMs: number, gapMs: number) => {
    for (let time = 0; time < times; time++)
      paces.record(model, answer, { firstTokenMs, longestGapMs: gapMs })
  }

  test('a setting is a limit as it stands', () => {
    const paces = new StreamPaces({ ...auto, first: 7, idle: 5 })
    record(paces, 'm', 9, 60_000, 60_000)
    expect(paces.limits('m')).toEqual({ firstTokenMs: 7, idleMs: 5 })
  })

  test('each model is learned by itself', () => {
    const paces = new StreamPaces(auto)
    expect(paces.limits('quick')).toEqual({ firstTokenMs: unknownMs, idleMs: unknownMs })
    record(paces, 'quick', 5, 300, 200)
    record(paces, 'slow', 5, 40_000, 30_000)
    expect(paces.limits('quick')).toEqual({ firstTokenMs: firstTokenFloorMs, idleMs: idleFloorMs })
    expect(paces.limits('slow')).toEqual({ firstTokenMs: 120_000, idleMs: 90_000 })
  })

  test('before anything was seen, a stall is found with time left for another target', () => {
    expect(new StreamPaces({ ...auto, timeoutMs: 60_000 }).limits('m')).toEqual({
      ...{ firstTokenMs: 30_000, idleMs: 30_000 },
    })
    expect(new StreamPaces(auto).limits('thinker')).toEqual({ firstTokenMs: 240_000, idleMs: unknownMs })
    const paces = new StreamPaces(auto)
    paces.record('m', broken('first_token_timeout'), { firstTokenMs: null, longestGapMs: 0 })
    expect(paces.limits('m').firstTokenMs).toBe(2 * unknownMs)
  })

  test('what was cut off gives the next one more time, until one comes to its end', () => {
    const paces = new StreamPaces(auto)
    record(paces, 'm', 5, 300, 200)
    paces.record('m', broken('first_token_timeout'), { firstTokenMs: null, longestGapMs: 0 })
    expect(paces.limits('m').firstTokenMs).toBe(2 * firstTokenFloorMs)
    paces.record('m', broken('idle_timeout'), { firstTokenMs: 100, longestGapMs: 9 })
    expect(paces.limits('m')).toEqual({ firstTokenMs: firstTokenFloorMs, idleMs: 2 * idleFloorMs })
    record(paces, 'm', 1, 300, 200)
    expect(paces.limits('m').idleMs).toBe(idleFloorMs)
  })

  test('a stream that broke tells of its first content alone, and one without any of nothing', () => {
    const paces = new StreamPaces(auto)
    for (let time = 0; time < 5; time++) {
      paces.record('m', broken('reset'), { firstTokenMs: 100, longestGapMs: 1 })
      paces.record('n', broken('reset'), { firstTokenMs: null, longestGapMs: 0 })
    }
    expect(paces.limits('m')).toEqual({ firstTokenMs: firstTokenFloorMs, idleMs: unknownMs })
    expect(paces.limits('n')).toEqual({ firstTokenMs: unknownMs, idleMs: unknownMs })
  })
})
