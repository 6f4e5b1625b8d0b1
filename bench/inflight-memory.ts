import { withTestEnvironment } from '../harness/environment.ts'
import { fixed, printTable, whole } from '../harness/figures.ts'
import { peakResidentBytesOf } from '../harness/process-usage.ts'
import { until } from '../harness/until.ts'
import { batonInput } from './support/deployment.ts'
import { loadQueue } from './support/load-queue.ts'
import { startBaton, startSim } from './support/processes.ts'
import { assertSucceeded, batonQueue, openJobs } from './support/queue-state.ts'

const inFlight = 500
const jobCount = 10 * inFlight
const latencyMs = 1_000
const answerBytes = 4_096

const mostAtOnce = async (simUrl: string): Promise<number> => {
  const response = await fetch(`${simUrl}/__sim/stats`)
  return ((await response.json()) as { maxInFlight: number }).maxInFlight
}

/** What a worker process takes with many calls under way, over ten times that many jobs. */
export const inflightMemory = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const latency = ['--latency', String(latencyMs), '--answer-bytes', String(answerBytes)]
    const { url: simUrl } = await startSim(environment, ...latency)
    const input = batonInput(environment.redisUrl, simUrl, inFlight)
    const jobIds = await loadQueue(input, jobCount)
    const worker = await startBaton(environment, 'worker', input)
    await until(async () => (await openJobs(environment.redis, batonQueue)) === 0)
    await assertSucceeded(environment.redis, jobIds)
    printTable(
      ['', 'worker'],
      [
        ['calls in flight at most', whole(await mostAtOnce(simUrl))],
        ['peak resident memory, MB', fixed((await peakResidentBytesOf(worker.pid)) / 1e6, 0)],
      ],
    )
  })
