import { providers } from './routes.ts'

export type Role = 'api' | 'provider' | 'batches' | 'webhooks'

/** A process of the cluster. */
export interface Member {
  /** Also what it calls itself to the simulated providers. */
  readonly name: string
  readonly role: Role
  /** What `src/main.ts` is told. */
  readonly args: readonly string[]
}

const workersPerProvider = 2
const batchWorkers = 2

const numbered = (count: number, member: (number: number) => Member): Member[] =>
  Array.from({ length: count }, (_, index) => member(index + 1))

/** Every process but Redis and what stands for the world outside. */
export const members: readonly Member[] = [
  { name: 'api', role: 'api', args: ['api'] },
  ...providers.flatMap(provider =>
    numbered(workersPerProvider, number => ({
      name: `${provider}-${number}`,
      role: 'provider',
      args: ['worker', provider],
    })),
  ),
  ...numbered(batchWorkers, number => ({
    name: `batches-${number}`,
    role: 'batches',
    args: ['worker', 'batches'],
  })),
  { name: 'webhooks', role: 'webhooks', args: ['worker', 'webhooks'] },
]

export const workersInAll = providers.length * workersPerProvider
