import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { until } from './until.ts'

const root = new URL('..', import.meta.url)
const endWithParent = new URL('./end-with-parent.ts', import.meta.url).href

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string }

/** A process that ends with this one, however that dies. */
export interface Child {
  readonly pid: number
  /** Everything printed so far, on both outputs. */
  readonly output: string
  /** The lines of the output that are JSON. */
  readonly lines: readonly LogLine[]
  /** Resolves with the output as soon as it has `text`; throws with the output when the process ends without it. */
  printed(text: string, timeoutMs?: number): Promise<string>
  /** Resolves with the first log line of that message; throws with the output when the process ends without it. */
  logged(msg: string): Promise<LogLine>
  /** What it sends next (`process.send`), from the start on its first message; throws when it ends before. */
  firstMessage(): Promise<unknown>
  signal(signal: NodeJS.Signals): void
  /** Stops it in its tracks, so that it costs and does nothing until it is thawed. */
  freeze(): void
  thaw(): void
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>
  readonly exited: Promise<Exit>
  hasExited(): boolean
}

export interface ChildOptions {
  readonly cwd?: string
  /** All that it gets beside PATH: a REDIS_URL or PORT of the caller's own would win over the config. */
  readonly env?: Readonly<Record<string, string>>
  /** What it prints is appended to this file; it is kept in memory when absent. */
  readonly logFile?: string
  /** The Node that runs it; this one's by default. */
  readonly node?: string | undefined
  /** Of Node, before the file. */
  readonly nodeOptions?: readonly string[]
  /** In a process group of its own, as a shell starts it. */
  readonly detached?: boolean
}

const living = new Set<ChildProcess>()
// SIGKILL also ends what is stopped, which could not notice that its parent is gone.
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

/** Runs a file of TypeScript or JavaScript, named from the root of the repository or by its URL. */
export const startNode = (file: string, args: readonly string[], options: ChildOptions = {}): Child => {
  const { node = process.execPath, nodeOptions = [] } = options
  const words = [...nodeOptions, '--import', endWithParent, new URL(file, root).pathname, ...args]
  return start(node, words, options, ['ipc'])
}

/** Runs a command; it has exited once all that it started and prints to the same output has. */
export const startCommand = (command: string, args: readonly string[], options: ChildOptions = {}): Child =>
  start(command, args, options, [])

/** What a process prints, kept in memory or in a file, which holds up no process whose output is not read. */
const openOutput = (logFile: string | undefined) => {
  if (logFile === undefined) {
    let text = ''
    return {
      target: 'pipe' as const,
      listen: ({ stdout, stderr }: ChildProcess) => {
        for (const stream of [stdout!, stderr!]) {
          stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        }
      },
      text: () => text,
    }
  }
  const target = openSync(logFile, 'a', 0o600)
  const from = fstatSync(target).size
  return {
    target,
    listen: () => closeSync(target),
    text: () => readFileSync(logFile).subarray(from).toString('utf8'),
  }
}

const linesOf = (text: string): LogLine[] =>
  text
    .split('\n')
    .filter(line => line.startsWith('{') && line.endsWith('}'))
    .map(line => JSON.parse(line) as LogLine)

const start = (
  command: string,
  args: readonly string[],
  { cwd, env = {}, logFile, detached = false }: ChildOptions,
  channel: readonly 'ipc'[],
): Child => {
  const output = openOutput(logFile)
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', output.target, output.target, ...channel],
    detached,
  })
  living.add(child)
  output.listen(child)
  // `close`, not `exit`: by then all that was printed has been read.
  const exited = once(child, 'close').then(([code, signal]): Exit => {
    living.delete(child)
    return { code, signal }
  })
  const hasExited = (): boolean => !living.has(child)

  /** What `find` finds in the output, as soon as it is there. */
  const found = async <T>(
    find: (text: string) => T | undefined,
    what: string,
    timeoutMs = 90_000,
  ): Promise<T> => {
    const look = () => {
      const ended = hasExited()
      return find(output.text()) ?? ended
    }
    // A process takes a second to start, or half a minute where many others do.
    const answer = await until(look, { timeoutMs, everyMs: 25, what: `${what} of ${args.join(' ')}` })
    if (answer === true) throw new Error(`the process ended without ${what}:\n${output.text()}`)
    return answer as T
  }

  return {
    pid: child.pid!,
    get output() {
      return output.text()
    },
    get lines() {
      return linesOf(output.text())
    },
    printed: (text, timeoutMs) =>
      found(all => (all.includes(text) ? all : undefined), `'${text}'`, timeoutMs),
    logged: msg => found(all => linesOf(all).find(line => line.msg === msg), `the log line '${msg}'`),
    firstMessage: () =>
      Promise.race([
        once(child, 'message').then(([message]) => message as unknown),
        exited.then(() => {
          throw new Error(`the process ended before it was ready:\n${output.text()}`)
        }),
      ]),
    signal: signal => void child.kill(signal),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    exited,
    hasExited,
  }
}

/** The words after `node` that the package's own script gives Node for a role: what is tested must be as shipped. */
export const shippedNodeOptions = async (script: 'api' | 'worker'): Promise<string[]> => {
  const { scripts } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
    scripts: Record<string, string>
  }
  return scripts[script]!.split(' ').filter(word => word.startsWith('--'))
}
