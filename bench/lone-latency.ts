import { onStage, type Stage } from '../harness/environment.ts'
import { fixed, percentile, printTable } from '../harness/figures.ts'
import { chatPath, chatText, createClient } from './support/chat.ts'
import { batonInput } from './support/deployment.ts'
import { startBaton, startSim } from './support/processes.ts'

const warmUpCount = 300
const callCount = 1_000

const timer = (stage: Stage, url: string): (() => Promise<number>) => {
  const client = createClient(url, 1)
  stage.closing(() => client.close())
  return async () => {
    const startedAt = performance.now()
    await client.post(chatPath, chatText, 200)
    return performance.now() - startedAt
  }
}

/** What the way through the queue adds to a single call while nothing else happens, call by call in turn. */
export const loneLatency = (): Promise<void> =>
  onStage(async stage => {
    const { url: simUrl } = await startSim(stage)
    const input = batonInput(stage.redisUrl, simUrl)
    await startBaton(stage, 'worker', input)
    const api = await startBaton(stage, 'api', input)
    const callDirectly = timer(stage, simUrl)
    const callThroughBaton = timer(stage, api.url)

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
