import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import type { FloorApiInput } from './processes/floor-api.ts'
import { createClient, jobPath, jobText } from './support/chat.ts'
import { type Contender, compare } from './support/compare.ts'
import { batonInput } from './support/deployment.ts'
import { type Contestant, startBaton, startFloor } from './support/processes.ts'

const requestCount = 6_000
const connections = 64
/** Nothing is called: no worker runs. */
const noProvider = 'http://127.0.0.1:9'

const accepting = (environment: TestEnvironment, api: Contestant): Contender => {
  const client = createClient(api.url, connections)
  environment.closing(() => client.close())
  return {
    pids: { process: api.pid, redis: environment.redisPid },
    prepare: async () => api.thaw(),
    work: count => client.postMany(count, jobPath, jobText, 202),
    rest: api.freeze,
  }
}

export const submitSpeed = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const { redisUrl } = environment
    const input: FloorApiInput = { redisUrl, queue: 'floor' }
    const floor = await startFloor(environment, 'api', input)
    const baton = await startBaton(environment, 'api', batonInput(redisUrl, noProvider))
    await compare('requests/s', accepting(environment, floor), accepting(environment, baton), requestCount)
  })
