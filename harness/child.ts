import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

const root = new URL('..', import.meta.url)
const endWithParent = new URL('./end-with-parent.ts', import.meta.url).href

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process of its own that ends with this one, however that dies. What it prints is appended to a file. */
export interface Child {
  readonly pid: number
  readonly exited: Promise<Exit>
  hasExited(): boolean
  kill(signal: NodeJS.Signals): void
  /** Resolves with the text printed so far as soon as it has `words`; false when the process ends without them. */
  printed(words: string): Promise<string | false>
}

export interface ChildOptions {
  /** From the root of the repository. */
  readonly file: string
  readonly args: readonly string[]
  readonly nodeOptions?: readonly string[]
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly logFile: string
}

const living = new Set<ChildProcess>()
// SIGKILL also ends what is stopped, which could not notice that its parent is gone.
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

export const startChild = (options: ChildOptions): Child => {
  const { file, args, nodeOptions = [], cwd, env = {}, logFile } = options
  const output = openSync(logFile, 'a', 0o600)
  const from = fstatSync(output).size
  const child = fork(new URL(file, root), args, {
    cwd,
    // Nothing of the caller's own: a REDIS_URL or PORT would win over the config.
    env: { PATH: process.env.PATH, ...env },
    execArgv: [...nodeOptions, '--import', endWithParent],
    stdio: ['ignore', output, output, 'ipc'],
  })
  closeSync(output)
  living.add(child)
  const exited = once(child, 'exit').then(([code, signal]): Exit => {
    living.delete(child)
    return { code, signal }
  })
  const hasExited = (): boolean => !living.has(child)

  return {
    pid: child.pid!,
    exited,
    hasExited,
    kill: name => void child.kill(name),
    printed: async words => {
      for (;;) {
        const ended = hasExited()
        const text = (await readFile(logFile)).subarray(from).toString('utf8')
        if (text.includes(words)) return text
        if (ended) return false
        await delay(25)
      }
    },
  }
}

/** The words after `node` that the package's own script gives Node for a role: what is tested must be as shipped. */
export const shippedNodeOptions = async (script: 'api' | 'worker'): Promise<string[]> => {
  const { scripts } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
    scripts: Record<string, string>
  }
  return scripts[script]!.split(' ').filter(word => word.startsWith('--'))
}
