import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type Child, shippedNodeOptions, startNode } from '../../harness/child.ts'
import type { TestEnvironment } from '../../harness/environment.ts'
import { type SimulatedProvider, startSimulatedProvider } from '../../harness/simulated-provider.ts'
import type { BatonInput } from './deployment.ts'

/** `all`: the API and every provider's worker in one process. */
type Role = 'api' | 'worker' | 'webhooks' | 'batches' | 'all'

/** A process that ends with its environment; `url` is where it listens, if it does. */
export type Contestant = Child & { readonly url: string }

/** Runs a file, as `startNode` names it; resolves with `ready`, which answers its URL. */
export const startChild = async (
  environment: TestEnvironment,
  file: string,
  args: readonly string[],
  nodeOptions: readonly string[],
  ready: (child: Child) => Promise<string>,
): Promise<Contestant> => {
  const logFile = join(environment.dir, `${randomUUID()}.log`)
  const child = startNode(file, args, { cwd: environment.dir, nodeOptions, logFile })
  environment.closing(child.kill)
  return Object.assign(child, { url: await ready(child) })
}

/** Starts one of `bench/processes` with `input`; it says when it is ready. */
export const startProcess = (
  environment: TestEnvironment,
  name: string,
  input: unknown,
  nodeOptions: readonly string[] = [],
) =>
  startChild(
    environment,
    `bench/processes/${name}.ts`,
    [JSON.stringify(input)],
    nodeOptions,
    async child => (await child.firstMessage()) as string,
  )

/** Starts one of the floors with `input`. */
export const startFloor = (
  environment: TestEnvironment,
  role: 'api' | 'worker' | 'webhooks',
  input: unknown,
) => startProcess(environment, `floor-${role}`, input)

/** Starts Baton in one role, with the options of Node that it is shipped with. */
export const startBaton = async (environment: TestEnvironment, role: Role, input: BatonInput) =>
  startProcess(
    environment,
    `baton-${role}`,
    input,
    await shippedNodeOptions(role === 'api' ? 'api' : 'worker'),
  )

/** Starts a receiver of webhooks that answers at once. */
export const startReceiver = (environment: TestEnvironment, secret: string) =>
  startProcess(environment, 'webhook-receiver', { secret })

/** Starts the simulated provider as it is shipped. */
export const startSim = async (
  environment: TestEnvironment,
  ...args: readonly string[]
): Promise<SimulatedProvider> => {
  const sim = await startSimulatedProvider({ dir: environment.dir, name: randomUUID(), args })
  environment.closing(sim.end)
  return sim
}
