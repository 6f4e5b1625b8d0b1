import { join } from 'node:path'
import type { BehaviourInput } from '../src/sim/behaviour.ts'
import type { CallEntry } from '../src/sim/call-journal.ts'
import { startNode } from './child.ts'

/** A simulated provider in a process of its own. */
export interface SimulatedProvider {
  readonly url: string
  readonly host: string
  readonly port: number
  readonly pid: number
  /** Replaces how it treats calls; without an argument it is back to what it was at first. */
  behave(behaviour?: BehaviourInput): Promise<void>
  /** How many calls it decided so far, with any outcome. */
  calls(): Promise<number>
  /** Every call that it got, in the order in which they came; only with `--journal`. */
  journal(): Promise<readonly CallEntry[]>
  end(): Promise<void>
}

export interface SimulatedProviderOptions {
  /** For its log, which it keeps there. */
  readonly dir: string
  readonly name: string
  /** Arguments of its command line. */
  readonly args?: readonly string[]
  readonly usual?: BehaviourInput
}

export const startSimulatedProvider = async (
  options: SimulatedProviderOptions,
): Promise<SimulatedProvider> => {
  const { dir, name, args = [], usual = {} } = options
  const child = startNode('src/sim/main.ts', args, { cwd: dir, logFile: join(dir, `${name}-provider.log`) })
  const { url } = JSON.parse(await child.printed('}\n')) as { url: string }
  const { hostname, port } = new URL(url)

  const read = async (path: string) => (await fetch(url + path)).json()
  const behave = async (behaviour: BehaviourInput = usual): Promise<void> => {
    const answer = await fetch(`${url}/__sim/behaviour`, { method: 'POST', body: JSON.stringify(behaviour) })
    if (!answer.ok) throw new Error(`the simulated provider ${name} refused: ${await answer.text()}`)
  }
  if (options.usual) await behave()
  return {
    url,
    host: hostname,
    port: Number(port),
    pid: child.pid,
    behave,
    calls: async () => ((await read('/__sim/stats')) as { calls: number }).calls,
    journal: async () => ((await read('/__sim/journal')) as { calls: CallEntry[] }).calls,
    end: async () => {
      child.signal('SIGTERM')
      await child.exited
    },
  }
}
