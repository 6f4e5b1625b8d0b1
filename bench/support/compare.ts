import { fixed, median, printTable, whole } from '../../harness/figures.ts'
import { cpuMicrosOf } from '../../harness/process-usage.ts'
import { jobsOr, roundsOr } from './options.ts'

/** One of those that are compared: `work` does `count` pieces of work, and resolves when all are done. */
export interface Contender {
  /** Processes whose processor time is shown beside the speed: other work of the machine changes it less. */
  readonly pids: { readonly process: number | readonly number[]; readonly redis?: number }
  prepare(count: number): Promise<void>
  work(count: number): Promise<void>
  /** Leaves nothing behind that the next round would pay for. */
  rest(): Promise<void> | void
}

export interface Speed {
  readonly perSecond: number
  /** Microseconds of processor time for each piece of work, over all of the contender's processes. */
  readonly processMicros: number
  /** 0 for one that has no Redis. */
  readonly redisMicros: number
}

const pairs = 5

const cpuOf = async ({ process, redis }: Contender['pids']): Promise<[processes: number, redis: number]> => {
  const micros = await Promise.all([process].flat().map(cpuMicrosOf))
  return [micros.reduce((sum, one) => sum + one, 0), redis === undefined ? 0 : await cpuMicrosOf(redis)]
}

export const measure = async (contender: Contender, count: number): Promise<Speed> => {
  await contender.prepare(count)
  const before = await cpuOf(contender.pids)
  const startedAt = performance.now()
  await contender.work(count)
  const seconds = (performance.now() - startedAt) / 1_000
  const after = await cpuOf(contender.pids)
  await contender.rest()
  return {
    perSecond: count / seconds,
    processMicros: (after[0] - before[0]) / count,
    redisMicros: (after[1] - before[1]) / count,
  }
}

/**
 * Measures each contender once in every round, so that other work of the machine meets all. They take turns
 * in going first, too: a later one finds the machine warmer. Warms none of them up. Returns a speed for each
 * in each round.
 */
export const takeTurns = async <Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  countOf: (name: Name) => number,
  rounds: number,
): Promise<Readonly<Record<Name, readonly Speed[]>>> => {
  const names = Object.keys(contenders) as Name[]
  const speeds = Object.fromEntries(names.map(name => [name, []])) as unknown as Record<Name, Speed[]>
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed())
      speeds[name].push(await measure(contenders[name], countOf(name)))
  }
  return speeds
}

/** The median over the rounds of one of the figures. */
export const middle = (speeds: readonly Speed[], figure: keyof Speed): number =>
  median(speeds.map(speed => speed[figure]))

/** The median of the rounds' own ratios: within a round, both met the same machine. */
export const ratioOf = (speeds: readonly Speed[], floors: readonly Speed[]): number =>
  median(speeds.map((speed, round) => speed.perSecond / floors[round]!.perSecond))

/**
 * Measures floor and Baton in pairs, after one round that warms both up. Prints each pair, and the medians; the ratio
 * in the last line is the median of the pairs' ratios.
 */
export const compare = async (
  unit: string,
  floor: Contender,
  baton: Contender,
  usualCount: number,
): Promise<void> => {
  const count = jobsOr(usualCount)
  await measure(floor, count)
  await measure(baton, count)
  const speeds = await takeTurns({ floor, baton }, () => count, roundsOr(pairs))
  print(unit, speeds.floor, speeds.baton)
}

const print = (unit: string, floors: readonly Speed[], batons: readonly Speed[]): void => {
  const both = (figure: keyof Speed) => [whole(middle(floors, figure)), whole(middle(batons, figure))]
  printTable(
    ['', 'floor', 'baton', 'ratio'],
    [
      ...batons.map((baton, i) => [
        `${unit}, pair ${i + 1}`,
        whole(floors[i]!.perSecond),
        whole(baton.perSecond),
        fixed(baton.perSecond / floors[i]!.perSecond, 2),
      ]),
      [`${unit}, median`, ...both('perSecond'), fixed(ratioOf(batons, floors), 2)],
      ['processor µs each, process', ...both('processMicros'), ''],
      ['processor µs each, Redis', ...both('redisMicros'), ''],
    ],
  )
}
