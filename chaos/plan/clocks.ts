import type { Random } from '../random.ts'
import { members } from './processes.ts'

/** How far a host's clock may be off. */
export const mostOffMs = 10 * 60_000
const leastOffMs = 1_000

/** By how many ms the clock of each process's host is off from the start; 0 for one that is right. Some are, and of the others some are ahead and some behind. */
export const planClocks = (random: Random): ReadonlyMap<string, number> => {
  const names = random.shuffle(members.map(({ name }) => name))
  const off = (sign: number): number => sign * random.int(leastOffMs, mostOffMs)
  return new Map(names.map((name, index) => [name, index % 3 === 2 ? 0 : off(index % 3 === 0 ? 1 : -1)]))
}
