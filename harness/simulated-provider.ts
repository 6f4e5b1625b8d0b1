import { join } from 'node:path'
import type { BehaviourInput } from '../src/sim/behaviour.ts'
import type { CallEntry } from '../src/sim/call-journal.ts'
import { startChild } from './child.ts'

/** A simulated provider in a process of its own, which no fault ever meets: it keeps the journal of all calls. */
export interface Sim {
  readonly host: string
  readonly port: number
  readonly pid: number
  /** Replaces how it treats calls; without an argument it is back to what it was at first. */
  behave(behaviour?: BehaviourInput): Promise<void>
  journal(): Promise<readonly CallEntry[]>
  end(): Promise<void>
}

export interface SimOptions {
  readonly name: string
  readonly format: 'openai' | 'anthropic'
  readonly dir: string
  readonly usual: BehaviourInput
}

export const startSim = async ({ name, format, dir, usual }: SimOptions): Promise<Sim> => {
  const child = startChild({
    file: 'src/sim/main.ts',
    args: ['--format', format, '--journal'],
    cwd: dir,
    logFile: join(dir, `${name}-provider.log`),
  })
  const printed = await child.printed('}\n')
  if (printed === false) throw new Error(`the simulated provider ${name} did not start`)
  const { url } = JSON.parse(printed) as { url: string }
  const { hostname, port } = new URL(url)

  const behave = async (behaviour: BehaviourInput = usual): Promise<void> => {
    const answer = await fetch(`${url}/__sim/behaviour`, { method: 'POST', body: JSON.stringify(behaviour) })
    if (!answer.ok) throw new Error(`the simulated provider ${name} refused: ${await answer.text()}`)
  }
  await behave()
  return {
    host: hostname,
    port: Number(port),
    pid: child.pid,
    behave,
    journal: async () => {
      const answer = await fetch(`${url}/__sim/journal`)
      return ((await answer.json()) as { calls: CallEntry[] }).calls
    },
    end: async () => {
      child.kill('SIGTERM')
      await child.exited
    },
  }
}
