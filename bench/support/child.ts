import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Stage } from '../../harness/environment.ts'
import type { BatonInput } from './deployment.ts'

/** A process of its own that ends with its stage, and with this process however that dies. */
export interface Child {
  readonly pid: number
  /** Stops it in its tracks, so that it costs nothing while another is measured. */
  freeze(): void
  thaw(): void
}

type Role = 'api' | 'worker' | 'webhooks' | 'batches'

/** Options that the package's own script gives Node for a role: a figure must be that of the process as shipped. */
const nodeOptionsOf = async (role: Role): Promise<string[]> => {
  const text = await readFile(new URL('package.json', root), 'utf8')
  const { scripts } = JSON.parse(text) as { scripts: Record<string, string> }
  return scripts[role === 'api' ? 'api' : 'worker']!.split(' ').filter(word => word.startsWith('--'))
}

const root = new URL('../../', import.meta.url)
const endWithParent = new URL('../../harness/end-with-parent.ts', import.meta.url).href

/** Runs `file`, a URL or a path from the package's root, as a process; resolves when `firstWord` does. */
export const startChild = <Said>(
  stage: Stage,
  file: string,
  args: readonly string[],
  nodeOptions: readonly string[],
  firstWord: (child: ChildProcess) => Promise<Said>,
): Promise<Child & { readonly said: Said }> => {
  const child = fork(new URL(file, root), args, {
    execArgv: [...nodeOptions, '--import', endWithParent],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  stage.closing(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const endedEarly = ended.then(([code, signal]) => {
    throw new Error(`${file} ended before it was ready (${signal ?? code})`)
  })
  const self = {
    pid: child.pid!,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  }
  return Promise.race([firstWord(child), endedEarly]).then(said => {
    child.stdout?.resume() // a log that nobody reads would fill its pipe and hold the child up
    return { ...self, said }
  })
}

const startProcess = (stage: Stage, name: string, input: unknown, nodeOptions: readonly string[]) =>
  startChild(stage, `bench/processes/${name}.ts`, [JSON.stringify(input)], nodeOptions, async child => {
    const [message] = await once(child, 'message')
    return message as string
  })

/** Starts one of the floors with `input`; `said` is its first message, sent when it is ready. */
export const startFloor = (stage: Stage, role: 'api' | 'worker' | 'webhooks', input: unknown) =>
  startProcess(stage, `floor-${role}`, input, [])

/** Starts Baton in one role; `said` is its first message, the API's its URL. */
export const startBaton = async (stage: Stage, role: Role, input: BatonInput) =>
  startProcess(stage, `baton-${role}`, input, await nodeOptionsOf(role))

/** Starts a receiver of webhooks that answers at once; `said` is its URL. */
export const startReceiver = (stage: Stage, secret: string) =>
  startProcess(stage, 'webhook-receiver', { secret }, [])

/** Starts the simulated provider as it is shipped; `said` is its URL. */
export const startSim = (stage: Stage, ...args: readonly string[]) =>
  startChild(stage, 'src/sim/main.ts', args, [], async child => {
    const [line] = await once(createInterface(child.stdout!), 'line')
    return (JSON.parse(line) as { url: string }).url
  })
