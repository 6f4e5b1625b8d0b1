import { expect, test } from 'vitest'
import type { ProcessHeartbeat } from '../../src/health/heartbeats.ts'
import { configsApart, runningConfigs } from '../../src/health/running-configs.ts'

const minuteMs = 60_000
const nowMs = 100 * minuteMs
const process = (config: string, openedMinutesAgo: number, more: object = {}): ProcessHeartbeat => ({
  ...{ instance: `${config}${openedMinutesAgo}`, ends: { cancelled: 0, expired: 0 }, seenAtMs: nowMs },
  ...{ config, openedAtMs: nowMs - openedMinutesAgo * minuteMs, ...more },
})
const { config: _, ...ofBefore } = process('', 90)

test.each<[string, readonly ProcessHeartbeat[], number, number | null]>([
  ['all on one', [process('a', 50), process('a', 20)], 1, null],
  ['two, for a moment', [process('a', 50), process('b', 9)], 2, null],
  ['two, for long', [process('a', 50), process('b', 11)], 2, 11],
  [
    'two for long, and a process that comes later',
    [process('a', 1), process('a', 50), process('b', 11)],
    2,
    11,
  ],
  ['three, the youngest new', [process('a', 50), process('b', 11), process('c', 1)], 3, null],
  [
    'one that still ends what it has begun',
    [process('a', 50, { retiring: true }), process('b', 11)],
    1,
    null,
  ],
  ['one that does not say', [ofBefore, process('b', 11)], 1, null],
  ['none', [], 0, null],
])('configs of processes: %s', (_what, processes, count, minutes) => {
  expect(runningConfigs(processes)).toHaveLength(count)
  const apart = configsApart(processes, nowMs)
  expect(apart && (nowMs - apart.sinceMs) / minuteMs).toBe(minutes)
})

test('which there are is told, the youngest last', () => {
  const apart = configsApart([process('b', 20), process('a', 50), process('a', 40)], nowMs)
  expect(apart?.reason).toBe('a (2 processes), b (1 process)')
})
