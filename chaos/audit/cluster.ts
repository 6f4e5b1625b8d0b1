import type { Exit } from '../../harness/child.ts'
import type { Evidence, Violation } from './evidence.ts'

/** Many times what a process of this load holds; one that keeps what it should let go of passes it. */
const mostResidentBytes = 400e6

/** Nothing is left in Redis, no process died by itself or would not end, and none grew without bound. */
export const judgeCluster = ({ leftovers, lives, residentBytes }: Evidence): Violation[] => {
  const about = (what: string): Violation => ({ rule: 'cluster', id: null, marker: null, what })
  return [
    ...leftovers.map(({ where, count, sample }) =>
      about(`${count} left in ${where}: ${sample.slice(0, 3).join(', ')}`),
    ),
    ...[...lives].flatMap(([name, its]) =>
      its
        // One that did not get up, because Redis was away, is started again until it does.
        .filter(({ exit, expected, readyAtMs }) => exit !== null && !expected && readyAtMs !== null)
        .map(({ exit }) =>
          about(`${name} ended by itself with ${exit!.signal ?? `exit code ${exit!.code}`}`),
        ),
    ),
    ...[...lives]
      .map(([name, its]) => ({ name, exit: its.at(-1)?.exit }))
      .filter(({ exit }) => exit?.code !== 0)
      .map(({ name, exit }) => about(`${name} was asked to end at last, and did with ${endOf(exit)}`)),
    ...[...residentBytes]
      .filter(([, bytes]) => bytes > mostResidentBytes)
      .map(([name, bytes]) => about(`${name} holds ${Math.round(bytes / 1e6)} MB in RAM at the end`)),
  ]
}

const endOf = (exit: Exit | null | undefined): string => exit?.signal ?? `exit code ${exit?.code}`
