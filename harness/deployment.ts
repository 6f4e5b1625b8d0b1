import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, type ChildOptions, startNode } from './child.ts'

/** Baton as an operator runs it: `baton serve` of the program that the environment names, else from source. */
export const runBaton = (args: readonly string[], options: ChildOptions): Child => {
  const program = process.env.BATON_PROGRAM
  return program === undefined
    ? startNode('src/main.ts', args, options)
    : startNode(program, ['serve', ...args], options)
}

/** A folder with a config, and the processes that run on it. */
export interface Deployment {
  readonly dir: string
  run(...args: string[]): Child
  /** Resolves once the process says that it works. */
  worker(name: string): Promise<Child>
  api(): Promise<Child & { readonly url: string }>
  /** Kills what still runs and removes the folder. */
  close(): Promise<void>
}

export const openDeployment = async (
  config: object | null,
  env: Record<string, string> = {},
): Promise<Deployment> => {
  const dir = await mkdtemp(join(tmpdir(), 'baton-site-'))
  // JSON is YAML.
  if (config) await writeFile(join(dir, 'baton.yaml'), JSON.stringify(config))
  const processes: Child[] = []
  const run = (...args: string[]): Child => {
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
