import { setTimeout as delay } from 'node:timers/promises'
import type { Link, LinkMode } from '../../harness/link.ts'
import { freeze } from '../../harness/signals.ts'
import type { BehaviourInput } from '../../src/sim/behaviour.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { silentZone, soundZone } from '../cluster/receivers.ts'
import type { Supervised } from '../cluster/supervised.ts'
import { mostOffMs } from '../plan/clocks.ts'
import type { FaultKind, PlannedFault } from '../plan/faults.ts'
import type { ProviderName } from '../plan/routes.ts'

/** Does the harm, and undoes it after its time. Returns a note for the report. */
type Act = (cluster: Cluster, target: string, forMs: number) => Promise<string>

const processOf = ({ processes }: Cluster, name: string): Supervised => processes.get(name)!

const kill: Act = async (cluster, target, forMs) => {
  await processOf(cluster, target).kill(forMs)
  return ''
}

const stop: Act = async (cluster, target, forMs) => {
  const { code, signal } = await processOf(cluster, target).stop(forMs)
  return code === 0 ? '' : `it ended with ${signal ?? `exit code ${code}`}`
}

const freezeProcess: Act = async (cluster, target, forMs) => {
  await freeze(processOf(cluster, target).pid, forMs)
  return ''
}

/** The clock of a process's host is set, and set back. */
const stepClock =
  (byMs: number): Act =>
  async ({ clocks }, target, forMs) => {
    await clocks.step(target, byMs)
    await delay(forMs)
    await clocks.step(target, 0)
    return ''
  }

const behave =
  (behaviour: BehaviourInput): Act =>
  async ({ sims }, target, forMs) => {
    const sim = sims[target as ProviderName]
    await sim.behave(behaviour)
    await delay(forMs)
    await sim.behave()
    return ''
  }

const link =
  (mode: LinkMode, linkOf: (cluster: Cluster, target: string) => Link): Act =>
  async (cluster, target, forMs) => {
    const link = linkOf(cluster, target)
    await link.set(mode)
    await delay(forMs)
    await link.set('open')
    return ''
  }

const toProvider = ({ providerLinks }: Cluster, target: string): Link => providerLinks[target as ProviderName]

/** No more: a delivery that fails twice is tried again only after 5 min. */
const refusedDeliveries = 5

const refuseDeliveries: Act = async ({ receivers }, _, forMs) => {
  receivers.receiver.script({ kind: 'status', status: 500, times: refusedDeliveries })
  await delay(forMs)
  return ''
}

const silenceNames: Act = async ({ receivers: { names } }, _, forMs) => {
  names.serve(silentZone)
  const before = names.asked.length
  await delay(forMs)
  names.serve(soundZone)
  return `${names.asked.length - before} questions without an answer`
}

const acts: Partial<Record<FaultKind, Act>> = {
  kill,
  stop,
  freeze: freezeProcess,
  'clock-ahead': stepClock(mostOffMs),
  'clock-behind': stepClock(-mostOffMs),
  'provider-errors': behave({ fault: { kind: 'error-500' } }),
  'provider-throttle': behave({ fault: { kind: 'throttle', ms: 500 } }),
  'provider-hang': behave({ fault: { kind: 'hang' } }),
  'provider-down': link('shut', toProvider),
  'provider-half-open': link('silent', toProvider),
  'receiver-down': link('shut', ({ receivers }) => receivers.link),
  'receiver-errors': refuseDeliveries,
  'receiver-hang': link('silent', ({ receivers }) => receivers.hangingLink),
  'name-server-silent': silenceNames,
}

/** What can be done to anything but Redis, on any machine. */
export const alwaysPossible = Object.keys(acts) as FaultKind[]

/** Resolves when the fault is over. */
export const inflict = (cluster: Cluster, { kind, target, forMs }: PlannedFault): Promise<string> => {
  const act = acts[kind]
  return act ? act(cluster, target, forMs) : cluster.redis.suffer(kind, target, forMs)
}
