import { spawnSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type ChildOptions, shippedNodeOptions, startCommand } from '../harness/child.ts'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { fixed, median, printTable, whole } from '../harness/figures.ts'
import { bundle } from '../release/bundle.ts'
import { findFreePort } from '../src/redis/dev/probe.ts'
import { roundsOr } from './support/options.ts'

const rounds = 7
/** A start that takes longer has failed. */
const limitMs = 60_000

interface Start {
  readonly readyMs: number
  readonly cpuMs: number
  readonly peakMb: number
}

/** How Baton is started. Without `compiled` as in a container that never ran. */
interface Way {
  readonly name: string
  readonly program: string
  readonly words: readonly string[]
  /** Where compiled code is kept; null for nowhere. */
  readonly compiled: string | null
  /** The setting of the port that tells whether it is ready. */
  readonly port?: 'PORT' | 'ADMIN_PORT'
}

const factsOf = async (pid: number): Promise<Omit<Start, 'readyMs'>> => {
  const [stat, status] = await Promise.all(
    ['stat', 'status'].map(name => readFile(`/proc/${pid}/${name}`, 'utf8')),
  )
  const [, user, system] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(stat!)!
  // The kernel counts hundredths of a second.
  const cpuMs = (Number(user) + Number(system)) * 10
  return { cpuMs, peakMb: Number(/VmHWM:\s+(\d+)/.exec(status!)![1]) / 1_024 }
}

const isReady = async (url: string): Promise<boolean> => (await fetch(url).catch(() => null))?.status === 200

const start = async (
  environment: TestEnvironment,
  nodeOptions: readonly string[],
  { program, words, compiled, port: setting = 'PORT' }: Way,
): Promise<Start> => {
  const port = await findFreePort()
  const cache: Record<string, string> =
    compiled === null ? { NODE_DISABLE_COMPILE_CACHE: '1' } : { NODE_COMPILE_CACHE: compiled }
  const env: ChildOptions['env'] = { ...cache, [setting]: String(port), REDIS_URL: environment.redisUrl }
  const startedAt = performance.now()
  // Without what ends other children with this process: it would be read, and its types taken off, by each.
  const child = startCommand(process.execPath, [...nodeOptions, program, ...words], {
    cwd: environment.dir,
    env,
  })
  try {
    while (!(await isReady(`http://127.0.0.1:${port}/readyz`))) {
      if (child.hasExited() || performance.now() - startedAt > limitMs) throw new Error(child.output)
      await delay(5)
    }
    return { readyMs: performance.now() - startedAt, ...(await factsOf(child.pid)) }
  } finally {
    await child.kill()
  }
}

/** From nothing to the first 200 of `/readyz`, of the API alone and of a worker alone: Redis is there already. */
export const coldStart = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const nodeOptions = await shippedNodeOptions('api')
    const config = { providers: { p: { type: 'openai', api_key: 'k' } }, models: { m: { provider: 'p' } } }
    await writeFile(join(environment.dir, 'baton.yaml'), JSON.stringify(config))
    const dist = join(environment.dir, 'dist')
    const compiled = join(environment.dir, 'compiled')
    await mkdir(compiled)
    await bundle(dist)
    await writeFile(join(environment.dir, 'package.json'), JSON.stringify({ type: 'module' }))
    const precompile = join(import.meta.dirname, '../release/precompile.mjs')
    spawnSync(process.execPath, [...nodeOptions, precompile, dist], {
      env: { ...process.env, NODE_COMPILE_CACHE: compiled },
    })
    const program = join(dist, 'baton.js')
    const sources = join(import.meta.dirname, '../src/main.ts')
    const api = ['serve', 'api']
    const worker = ['worker', 'p']
    const port = 'ADMIN_PORT'
    const ways: readonly Way[] = [
      { name: 'API: sources', program: sources, words: ['api'], compiled: null },
      { name: 'API: bundle', program, words: api, compiled: null },
      { name: 'API: bundle, compiled as in the image', program, words: api, compiled },
      { name: 'worker: bundle', program, words: worker, compiled: null, port },
      { name: 'worker: bundle, compiled as in the image', program, words: worker, compiled, port },
    ]
    const starts = new Map<string, Start[]>(ways.map(({ name }) => [name, []]))
    for (let round = 0; round < roundsOr(rounds); round++)
      for (const way of ways) starts.get(way.name)!.push(await start(environment, nodeOptions, way))
    printTable(
      ['start', 'ready after', 'CPU', 'peak'],
      [...starts].map(([name, of]) => [
        name,
        `${whole(median(of.map(({ readyMs }) => readyMs)))} ms`,
        `${whole(median(of.map(({ cpuMs }) => cpuMs)))} ms`,
        `${fixed(median(of.map(({ peakMb }) => peakMb)), 0)} MB`,
      ]),
    )
  })
