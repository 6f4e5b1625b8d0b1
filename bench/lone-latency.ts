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

/**
 * What Baton adds to a single call while nothing else happens, call by call in turn: by the way through the queue, with the API and
 * the worker in two processes, and by the express lane, with both in one.
 */
export const loneLatency = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const { url: simUrl } = await startSim(environment)
    const input = batonInput(environment.redisUrl, simUrl)
    await startBaton(environment, 'worker', input)
    const api = await startBaton(environment, 'api', input)
    const both = { ...input, config: { ...input.config, redis: { prefix: 'express' } } }
    const express = await startBaton(environment, 'all', both)
    const ways = [simUrl, api.url, express.url].map(url => ({
      call: timer(environment, url),
      ms: [] as number[],
    }))

    for (let i = 0; i < warmUpCount + callCount; i++) {
      for (const { call, ms } of ways) ms.push(await call())
    }
    const measured = ways.map(({ ms }) => ms.slice(warmUpCount))
    printTable(
      ['ms', 'direct', 'by the queue', 'added', 'express', 'added'],
      [50, 99].map(percent => {
        const times = measured.map(ms => percentile(ms, percent)) as [number, number, number]
        const [straight, queued, express] = times
        return [
          `p${percent}`,
          fixed(straight, 2),
          ...[queued, express].flatMap(ms => [fixed(ms, 2), fixed(ms - straight, 2)]),
        ]
      }),
    )
  })
