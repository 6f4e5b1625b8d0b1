import { createClient, jobPath, jobText } from './support/chat.ts'
import { startBaton, startSim } from './support/child.ts'
import { batonInput } from './support/deployment.ts'
import { fixed, printTable } from './support/figures.ts'
import { batonQueue, hasSucceeded, openJobs } from './support/queue-state.ts'
import { onStage, type Stage } from './support/stage.ts'
import { until } from './support/until.ts'

const connections = 64

/** EVAL and EVALSHA since the last reset, with Baton's scripts and BullMQ's alike. */
const scriptCalls = async ({ redis }: Stage): Promise<number> => {
  const stats = await redis.info('commandstats')
  const calls = [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)]
  return calls.reduce((sum, [, count]) => sum + Number(count), 0)
}

/** Script calls from a submission over HTTP to the final result, with no handover. */
export const redisScripts = (): Promise<void> =>
  onStage(async stage => {
    const { said: simUrl } = await startSim(stage)
    const input = batonInput(stage.redisUrl, simUrl)
    await startBaton(stage, 'worker', input)
    const api = await startBaton(stage, 'api', input)
    const client = createClient(api.said, connections)
    stage.closing(() => client.close())

    const submit = async (): Promise<string> => {
      const { id } = JSON.parse(await client.post(jobPath, jobText, 202)) as { id: string }
      return id
    }
    // The queue is empty too between a submission and its doorbell, so the record is asked first.
    const finished = async (id: string): Promise<void> => {
      await until(() => hasSucceeded(stage.redis, id))
      await until(async () => (await openJobs(stage.redis, batonQueue)) === 0)
    }
    const together = async (count: number): Promise<string[]> => {
      const lanes = Array.from({ length: connections }, () => inTurn(count / connections, submit))
      return (await Promise.all(lanes)).flat()
    }
    const alone = (count: number): Promise<string[]> =>
      inTurn(count, async () => {
        const id = await submit()
        await finished(id)
        return id
      })
    const measure = async (submitAll: () => Promise<string[]>): Promise<string> => {
      await stage.redis.config('RESETSTAT')
      const ids = await submitAll()
      for (const id of ids) await finished(id)
      const calls = await scriptCalls(stage)
      return fixed(calls / ids.length, 2)
    }

    await measure(() => together(10 * connections))
    printTable(
      ['', 'script calls a job'],
      [
        [`under load, ${connections} connections`, await measure(() => together(100 * connections))],
        ['one job at a time', await measure(() => alone(200))],
      ],
    )
  })

const inTurn = async (count: number, submit: () => Promise<string>): Promise<string[]> => {
  const ids: string[] = []
  while (ids.length < count) ids.push(await submit())
  return ids
}
