import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster } from '../cluster/cluster.ts'
import type { PlannedFault } from '../plan/faults.ts'
import type { Fault } from './fault-log.ts'
import { inflict } from './inflict.ts'

/** A fault that is not over by then was not undone, which is the end of the run. */
const patienceMs = 60_000

/** Lets every fault come at its time after `startedAtMs`, notes each in `log`, and resolves when all are over. */
export const runFaults = async (
  cluster: Cluster,
  plan: readonly PlannedFault[],
  startedAtMs: number,
  log: Fault[],
  signal: AbortSignal,
): Promise<void> => {
  const runFault = async (planned: PlannedFault): Promise<void> => {
    await delay(Math.max(0, startedAtMs + planned.atMs - Date.now()), undefined, { signal })
    const number = log.length + 1
    const fault: Fault = { ...planned, number, beganAtMs: Date.now(), endedAtMs: null, note: '' }
    log.push(fault)
    const timer = AbortSignal.any([signal, AbortSignal.timeout(planned.forMs + patienceMs)])
    fault.note = await Promise.race([inflict(cluster, planned), rejectOn(timer, planned)])
    fault.endedAtMs = Date.now()
  }
  await Promise.all(plan.map(runFault))
}

const rejectOn = (signal: AbortSignal, { kind, target }: PlannedFault): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener(
      'abort',
      () => reject(new Error(`${kind} of ${target} did not come to its end`)),
      {
        once: true,
      },
    )
  })
