import type { CallEntry } from '../../src/sim/call-journal.ts'

/** How many calls a simulated provider decided so far, whatever they met. */
export const callsAt = async (simUrl: string): Promise<number> => {
  const response = await fetch(`${simUrl}/__sim/stats`)
  return ((await response.json()) as { calls: number }).calls
}

/** Every call that a provider with `--journal` got, in the order in which they came. */
export const journalOf = async (simUrl: string): Promise<readonly CallEntry[]> => {
  const response = await fetch(`${simUrl}/__sim/journal`)
  return ((await response.json()) as { calls: readonly CallEntry[] }).calls
}

/** Sets what calls meet from now on; see `behaviourSchema` of the simulated provider. */
export const behave = async (simUrl: string, behaviour: object): Promise<void> => {
  const response = await fetch(`${simUrl}/__sim/behaviour`, {
    method: 'POST',
    body: JSON.stringify(behaviour),
  })
  if (!response.ok) throw new Error(`the simulated provider answered ${response.status}`)
}
