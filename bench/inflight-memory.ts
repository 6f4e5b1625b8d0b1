import { withTestEnvironment } from '../harness/environment.ts'
import { fixed, printTable, whole } from '../harness/figures.ts'
import { cpuMicrosOf, peakResidentBytesOf } from '../harness/process-usage.ts'
import { until } from '../harness/until.ts'
import { batonInput } from './support/deployment.ts'
import { loadQueue } from './support/load-queue.ts'
import { jobsOr } from './support/options.ts'
import { startBaton, startSim } from './support/processes.ts'
import { allSettled, assertSucceeded, batonQueue } from './support/queue-state.ts'

const inFlight = jobsOr(500)
const jobCount = Math.max(5_000, 3 * inFlight)
/** The machine makes some 500 calls a second beside all else: so all places are taken for a while. */
const latencyMs = Math.max(1_000, 2 * inFlight)
const answerBytes = 4_096

const mostAtOnce = async (simUrl: string): Promise<number> => {
  const response = await fetch(`${simUrl}/__sim/stats`)
  return ((await response.json()) as { maxInFlight: number }).maxInFlight
}

/** What a worker process takes with many calls under way, over several times that many jobs. */
export const inflightMemory = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const latency = ['--latency', String(latencyMs), '--answer-bytes', String(answerBytes)]
    const { url: simUrl } = await startSim(environment, ...latency)
    const input = batonInput(environment.redisUrl, simUrl, inFlight)
    const jobIds = await loadQueue(input, jobCount)
    const worker = await startBaton(environment, 'worker', input)
    const idle = { bytes: await peakResidentBytesOf(worker.pid), micros: await cpuMicrosOf(worker.pid) }
    await until(async () => allSettled(environment.redis, [batonQueue]), {
      timeoutMs: 10 * latencyMs + 60_000,
    })
    const peak = await peakResidentBytesOf(worker.pid)
    const micros = (await cpuMicrosOf(worker.pid)) - idle.micros
    await assertSucceeded(environment.redis, jobIds)
    printTable(
      ['', 'worker'],
      [
        ['calls in flight at most', whole(await mostAtOnce(simUrl))],
        ['peak resident memory, MB', fixed(peak / 1e6, 0)],
        ['above that of the idle worker, kB a call', fixed((peak - idle.bytes) / inFlight / 1e3, 1)],
        ['processor µs a call', whole(micros / jobCount)],
      ],
    )
  })
