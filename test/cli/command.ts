import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import manifest from '../../package.json' with { type: 'json' }
import type { CommandIo } from '../../src/cli/command-io.ts'
import { runBaton } from '../../src/cli/program.ts'
import { plain } from '../../src/terminal/paint.ts'

const entry = process.env.BATON_PROGRAM ?? join(import.meta.dirname, '../..', manifest.bin.baton)

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Command {
  readonly pid: number
  /** What it printed on standard error so far. */
  readonly stderr: string
  readonly ended: Promise<Ended>
  /** Ctrl-C. */
  interrupt(): void
}

const living = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

/** Nothing to read, and nobody who reads. */
export const stillIo: CommandIo = {
  cwd: '/',
  env: {},
  out: () => undefined,
  err: () => undefined,
  input: Readable.from([]),
  output: new Writable(),
  paint: plain,
  progress: { write: () => undefined },
  onInterrupt: () => () => undefined,
}

/** The same without a process of its own, for tests of what it prints: one takes most of a second to start. */
export const runHere = async (
  args: readonly string[],
  {
    cwd,
    env,
    input = '',
  }: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly input?: string },
): Promise<Ended> => {
  let [stdout, stderr] = ['', '']
  const code = await runBaton(args, {
    cwd,
    env,
    input: Readable.from([Buffer.from(input)]),
    output: new Writable({
      write: (chunk, _, written) => {
        stdout += chunk
        written()
      },
    }),
    paint: plain,
    out: text => {
      stdout += `${text}\n`
    },
    err: text => {
      stderr += `${text}\n`
    },
    progress: {
      write: text => {
        stderr += text
      },
    },
    onInterrupt: () => () => undefined,
  })
  return { code, stdout, stderr }
}

/** The `baton` command as a person starts it, in a process of its own. */
export const startCommand = (
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Command => {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  living.add(child)
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  const ended = once(child, 'close').then(([code]): Ended => {
    living.delete(child)
    return { code, ...output }
  })
  return {
    pid: child.pid!,
    get stderr() {
      return output.stderr
    },
    ended,
    interrupt: () => void child.kill('SIGINT'),
  }
}
