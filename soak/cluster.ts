import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Child, shippedNodeOptions, startNode } from '../harness/child.ts'
import type { TestEnvironment } from '../harness/environment.ts'
import { startSimulatedProvider } from '../harness/simulated-provider.ts'
import type { BehaviourInput } from '../src/sim/behaviour.ts'

/** The processes that are watched, by the name that they have in tables. */
export type Watched = ReadonlyMap<string, Child>

export interface Cluster {
  readonly apiUrl: string
  readonly watched: Watched
  readonly redisPid: number
  /** Lines of logs at level error or above, and processes that ended. */
  faults(): Promise<string[]>
}

export interface ClusterOptions {
  readonly secret: string
  /** How long ended jobs and batches are kept: what is kept grows until then. */
  readonly retention: string
}

type LatencyInput = BehaviourInput['latency']

const vitals = new URL('./vitals.ts', import.meta.url).href

/** All roles as they are shipped, each in a process of its own, over two simulated providers. */
export const startCluster = async (
  environment: TestEnvironment,
  options: ClusterOptions,
): Promise<Cluster> => {
  const [openai, anthropic] = await Promise.all([
    startSim(environment, 'openai', { kind: 'lognormal', medianMs: 40, sigma: 0.4 }),
    startSim(environment, 'anthropic', { kind: 'lognormal', medianMs: 60, sigma: 0.4 }),
  ])
  await writeFile(
    join(environment.dir, 'baton.yaml'),
    JSON.stringify(configOf(environment, openai, anthropic, options)),
  )
  const roles: readonly (readonly string[])[] = [
    ['worker', 'primary'],
    ['worker', 'backup'],
    ['worker', 'webhooks'],
    ['worker', 'batches'],
    ['api'],
  ]
  const started = await Promise.all(roles.map(words => startRole(environment, words)))
  const watched = new Map(started.map(({ name, child }) => [name, child]))
  const { url: apiUrl } = await watched.get('api')!.logged('api listening')

  return {
    apiUrl: apiUrl as string,
    watched,
    redisPid: environment.redisPid,
    faults: async () => {
      const faults = [...watched].filter(([, child]) => child.hasExited()).map(([name]) => `${name} ended`)
      for (const name of watched.keys()) {
        const lines = (await readFile(join(environment.dir, `${name}.log`), 'utf8')).split('\n')
        faults.push(...lines.filter(line => /"level":[56]0/.test(line)).map(line => `${name} logged ${line}`))
      }
      return faults
    },
  }
}

const configOf = (
  environment: TestEnvironment,
  openai: string,
  anthropic: string,
  options: ClusterOptions,
): object => ({
  redis: { url: environment.redisUrl },
  server: { port: 0 },
  storage: { path: 'blobs' },
  webhooks: { secret: options.secret, allowed_networks: ['127.0.0.0/8'] },
  jobs: { retention: options.retention, completion_window: '1m' },
  batches: { retention: options.retention },
  providers: {
    primary: { type: 'openai', base_url: `${openai}/v1`, api_key: 'soak' },
    backup: { type: 'anthropic', base_url: anthropic, api_key: 'soak' },
  },
  models: {
    'gpt-4': { provider: 'primary', fallback_to: 'claude-3-sonnet' },
    'claude-3-sonnet': { provider: 'backup' },
  },
})

const startRole = async (environment: TestEnvironment, words: readonly string[]) => {
  const name = words.join('-')
  const child = startNode('src/main.ts', words, {
    nodeOptions: [...(await shippedNodeOptions(words[0] as 'api' | 'worker')), '--import', vitals],
    cwd: environment.dir,
    logFile: join(environment.dir, `${name}.log`),
  })
  environment.closing(child.kill)
  await child.logged('started')
  return { name, child }
}

/** One in a hundred calls fails, so that the ways around a failure are worn too. */
const startSim = async (
  environment: TestEnvironment,
  format: string,
  latency: LatencyInput,
): Promise<string> => {
  const sim = await startSimulatedProvider({
    dir: environment.dir,
    name: format,
    args: ['--format', format],
    usual: { latency, fault: { kind: 'error-503', rate: 0.01 } },
  })
  environment.closing(sim.end)
  return sim.url
}
