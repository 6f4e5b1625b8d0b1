import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { fixed, percentile, printTable } from '../harness/figures.ts'
import { chatPath, chatText, createClient } from './support/chat.ts'
import { batonInput } from './support/deployment.ts'
import { startBaton, startSim } from './support/processes.ts'

const warmUpCount = 300
const callCount = 1_000

const timer = (environment: TestEnvironment, url: string): (() => Promise<number>) => {
  const client = createClient(url, 1)
  environment.closing(() => client.close())
  return async () => {
    const startedAt = performance.now()
    await client.post(chatPath, chatText, 200)
    return performance.now() - startedAt
  }
}

/** What the way through the queue adds to a single call while nothing else happens, call by call in turn. */
export const loneLatency = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const { url: simUrl } = await startSim(environment)
    const input = batonInput(environment.redisUrl, simUrl)
    await startBaton(environment, 'worker', input)
    const api = await startBaton(environment, 'api', input)
    const callDirectly = timer(environment, simUrl)
    const callThroughBaton = timer(environment, api.url)

    const direct: number[] = []
    const through: number[] = []
    for (let i = 0; i < warmUpCount + callCount; i++) {
      direct.push(await callDirectly())
      through.push(await callThroughBaton())
    }
    const measured = [direct, through].map(times => times.slice(warmUpCount)) as [number[], number[]]
    printTable(
      ['ms', 'direct', 'baton', 'added'],
      [50, 99].map(percent => {
        const [straight, queued] = measured.map(times => percentile(times, percent)) as [number, number]
        return [`p${percent}`, fixed(straight, 2), fixed(queued, 2), fixed(queued - straight, 2)]
      }),
    )
  })
