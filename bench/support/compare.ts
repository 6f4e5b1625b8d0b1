import { fixed, median, printTable, whole } from './figures.ts'
import { cpuMicrosOf } from './process-usage.ts'

/** One of the two that are compared: `work` does `count` pieces of work, and resolves when all are done. */
export interface Contender {
  /** Whose processor time is told beside the speed: it is less touched by what else the machine does. */
  readonly pids: { readonly process: number; readonly redis: number }
  prepare(count: number): Promise<void>
  work(count: number): Promise<void>
  /** Leaves nothing behind that the next round would pay for. */
  rest(): Promise<void> | void
}

interface Speed {
  readonly perSecond: number
  /** Microseconds of processor time for each piece of work. */
  readonly processMicros: number
  readonly redisMicros: number
}

const pairs = 5

const measure = async (contender: Contender, count: number): Promise<Speed> => {
  const { pids } = contender
  const cpu = () => Promise.all([cpuMicrosOf(pids.process), cpuMicrosOf(pids.redis)])
  await contender.prepare(count)
  const before = await cpu()
  const startedAt = performance.now()
  await contender.work(count)
  const seconds = (performance.now() - startedAt) / 1_000
  const after = await cpu()
  await contender.rest()
  return {
    perSecond: count / seconds,
    processMicros: (after[0] - before[0]) / count,
    redisMicros: (after[1] - before[1]) / count,
  }
}

/**
 * Measures floor and Baton in pairs, so that whatever else the machine does meets both, after one round that warms
 * both up. Prints each pair, and the medians; the ratio in the last line is the median of the pairs' ratios.
 */
export const compare = async (
  unit: string,
  floor: Contender,
  baton: Contender,
  count: number,
): Promise<void> => {
  await measure(floor, count)
  await measure(baton, count)
  const floors: Speed[] = []
  const batons: Speed[] = []
  for (let pair = 0; pair < pairs; pair++) {
    // They take turns in going first too: the second finds the machine warmer.
    if (pair % 2 === 0) floors.push(await measure(floor, count))
    batons.push(await measure(baton, count))
    if (pair % 2 === 1) floors.push(await measure(floor, count))
  }
  print(unit, floors, batons)
}

const print = (unit: string, floors: readonly Speed[], batons: readonly Speed[]): void => {
  const speed = (s: Speed) => s.perSecond
  const ratios = batons.map((baton, i) => baton.perSecond / floors[i]!.perSecond)
  const middle = (of: (speed: Speed) => number) => [
    whole(median(floors.map(of))),
    whole(median(batons.map(of))),
  ]
  printTable(
    ['', 'floor', 'baton', 'ratio'],
    [
      ...ratios.map((ratio, i) => [
        `${unit}, pair ${i + 1}`,
        whole(speed(floors[i]!)),
        whole(speed(batons[i]!)),
        fixed(ratio, 2),
      ]),
      [`${unit}, median`, ...middle(speed), fixed(median(ratios), 2)],
      ['processor µs each, process', ...middle(s => s.processMicros), ''],
      ['processor µs each, Redis', ...middle(s => s.redisMicros), ''],
    ],
  )
}
