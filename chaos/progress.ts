import { setTimeout as delay } from 'node:timers/promises'
import type { Screen } from '../src/terminal/screen.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { Fault } from './faults/fault-log.ts'
import type { Ledger } from './load/ledger.ts'
import type { Watch } from './load/watch.ts'
import type { ChaosOptions } from './options.ts'

const roundMs = 500

/** Shows how far the run is, until `signal` aborts. */
export const watchProgress = async (
  run: {
    readonly cluster: Cluster
    readonly ledger: Ledger
    readonly watch: Watch
    readonly faults: readonly Fault[]
    readonly startedAtMs: number
  },
  options: ChaosOptions,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    const { cluster, ledger, watch, faults } = run
    const elapsedMs = Date.now() - run.startedAtMs
    const ongoing = faults.filter(({ endedAtMs }) => endedAtMs === null)
    const accepted = ledger.jobs.filter(({ id }) => id !== null).length
    const down = [...cluster.processes.values()].filter(({ isUp }) => !isUp).length
    screen.show({
      // Never all of it: that would be shown at once, each time.
      share: Math.min(0.99, elapsedMs / options.durationMs),
      text: [
        `${Math.round(elapsedMs / 1_000)} s`,
        `jobs ${watch.jobsEnded}/${accepted} ended`,
        `lines ${watch.linesEnded}`,
        `faults ${faults.length}`,
        `down ${down}`,
        ongoing.map(({ kind, target }) => `${kind} ${target}`).join(', ') || 'no fault now',
      ].join(' · '),
      phase: elapsedMs < options.durationMs ? 'faults' : 'settling',
    })
    await delay(roundMs, undefined, { signal }).catch(() => undefined)
  }
}
