import type { Call, Event } from '../audit/evidence.ts'
import type { Fault } from '../faults/fault-log.ts'
import { members } from '../plan/processes.ts'

/** When what a fault had stopped was seen to go on. All in Unix ms. */
export interface SignsOfLife {
  readonly calls: readonly Call[]
  readonly deliveries: readonly Event[]
  readonly apiAnsweredAtMs: readonly number[]
  readonly linesAtMs: readonly number[]
  /** When there was a batch to go on with. */
  readonly batchesOpen: readonly { readonly fromMs: number; readonly untilMs: number }[]
}

export interface Recovery {
  readonly kind: string
  /** How many faults of the kind were followed by a sign of life. */
  readonly count: number
  readonly medianMs: number
  readonly worstMs: number
}

/** Clients look at batches this often; one that ended sooner shows nothing. */
const lookMs = 1_000

const isGood = ({ status, outcome }: Call): boolean => status === 200 && outcome === 'ok'

/** The times that show that the target of a fault works again. */
const signsFor = (fault: Fault, signs: SignsOfLife): readonly number[] => {
  const { kind, target, endedAtMs } = fault
  const answers = (test: (call: Call) => boolean) =>
    signs.calls.filter(call => isGood(call) && test(call)).map(({ endedAtMs }) => endedAtMs!)
  if (kind.startsWith('receiver-') || kind === 'name-server-silent')
    return signs.deliveries.map(({ atMs }) => atMs)
  if (kind.startsWith('provider-')) return answers(({ provider }) => provider === target)
  if (target === 'redis') return answers(() => true)
  const role = members.find(({ name }) => name === target)?.role
  if (role === 'api') return signs.apiAnsweredAtMs
  if (role === 'webhooks') return signs.deliveries.map(({ atMs }) => atMs)
  if (role === 'batches') {
    const isOpen = signs.batchesOpen.some(
      ({ fromMs, untilMs }) => fromMs <= endedAtMs! && untilMs > endedAtMs! + lookMs,
    )
    return isOpen ? signs.linesAtMs : []
  }
  return answers(({ caller }) => caller === target)
}

/** From the end of each fault to the next answer, delivery or line of what it had met; by kind of fault. */
export const recoveries = (faults: readonly Fault[], signs: SignsOfLife): Recovery[] => {
  const times = faults.flatMap(fault => {
    if (fault.endedAtMs === null) return []
    const next = Math.min(...signsFor(fault, signs).filter(atMs => atMs >= fault.endedAtMs!))
    return Number.isFinite(next) ? [{ kind: nameOf(fault), ms: next - fault.endedAtMs }] : []
  })
  return [...Map.groupBy(times, ({ kind }) => kind)].toSorted().map(([kind, all]) => {
    const sorted = all.map(({ ms }) => ms).toSorted((a, b) => a - b)
    return {
      kind,
      count: sorted.length,
      medianMs: sorted[sorted.length >> 1]!,
      worstMs: sorted.at(-1)!,
    }
  })
}

/** A kill is named by the role that it met. */
const nameOf = ({ kind, target }: Fault): string => {
  const role = members.find(({ name }) => name === target)?.role
  return kind === 'kill' ? `kill ${role}` : kind
}
