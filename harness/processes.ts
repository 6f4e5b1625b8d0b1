import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from './until.ts'

const entry = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string }

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** `node src/main.ts` as an operator runs it. */
export interface BatonProcess {
  readonly pid: number
  /** Everything printed so far, on both outputs. */
  readonly output: string
  readonly lines: readonly LogLine[]
  /** Resolves with the first log line of that message; throws with the output when the process ends without it. */
  logged(msg: string): Promise<LogLine>
  signal(signal: NodeJS.Signals): void
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>
  readonly exited: Promise<Exit>
  hasExited(): boolean
}

const living = new Set<ChildProcess>()
// A test run that ends early must not leave processes behind that work on its Redis.
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

const linesOf = (text: string): LogLine[] =>
  text
    .split('\n')
    .filter(line => line.startsWith('{') && line.endsWith('}'))
    .map(line => JSON.parse(line) as LogLine)

interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** In a process group of its own, as a shell starts it. */
  readonly detached?: boolean
}

export const runBaton = (args: readonly string[], options: RunOptions): BatonProcess =>
  runCommand(process.execPath, [entry, ...args], options)

/** A command that starts Baton: what it prints is Baton's, and it has exited once all of what it started has. */
export const runCommand = (
  command: string,
  args: readonly string[],
  { cwd, env = {}, detached = false }: RunOptions,
): BatonProcess => {
  const child = spawn(command, args, {
    cwd,
    // Nothing of the tester's own: a REDIS_URL or PORT would win over the test's config.
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
  })
  living.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  }
  // `close`, not `exit`: by then all that was printed has been read.
  const exited = once(child, 'close').then(([code, signal]): Exit => {
    living.delete(child)
    return { code, signal }
  })
  const hasExited = (): boolean => !living.has(child)
  const find = (msg: string) => linesOf(output).find(line => line.msg === msg)

  return {
    pid: child.pid!,
    get output() {
      return output
    },
    get lines() {
      return linesOf(output)
    },
    logged: async msg => {
      // A process takes a second to start, or half a minute where many others do.
      await until(() => find(msg) || hasExited(), 90_000)
      const line = find(msg)
      if (!line) throw new Error(`the process ended without '${msg}':\n${output}`)
      return line
    },
    signal: signal => void child.kill(signal),
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    exited,
    hasExited,
  }
}

/** A folder with a config, and the processes that run on it. */
export interface Site {
  readonly dir: string
  run(...args: string[]): BatonProcess
  /** Resolves once the process says that it works. */
  worker(name: string): Promise<BatonProcess>
  api(): Promise<BatonProcess & { readonly url: string }>
  /** Kills what still runs and removes the folder. */
  close(): Promise<void>
}

export const openSite = async (config: object | null, env: Record<string, string> = {}): Promise<Site> => {
  const dir = await mkdtemp(join(tmpdir(), 'baton-site-'))
  // JSON is YAML.
  if (config) await writeFile(join(dir, 'baton.yaml'), JSON.stringify(config))
  const processes: BatonProcess[] = []
  const run = (...args: string[]): BatonProcess => {
    const started = runBaton(args, { cwd: dir, env })
    processes.push(started)
    return started
  }
  return {
    dir,
    run,
    worker: async name => {
      const worker = run('worker', name)
      await worker.logged('started')
      return worker
    },
    api: async () => {
      const api = run('api')
      const { url } = await api.logged('api listening')
      await api.logged('started')
      return Object.assign(api, { url: url as string })
    },
    close: async () => {
      await Promise.all(processes.map(p => (p.hasExited() ? undefined : p.kill())))
      await rm(dir, { recursive: true, force: true })
    },
  }
}
