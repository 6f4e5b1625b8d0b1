import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { fixed, percentile, printTable, whole } from '../harness/figures.ts'
import { until } from '../harness/until.ts'
import { chatLineBytes, createBatchClient, writeRequests } from './support/batches.ts'
import { fillingOf } from './support/calls-over-time.ts'
import { batonInput } from './support/deployment.ts'
import { jobsOr } from './support/options.ts'
import { startBaton, startSim } from './support/processes.ts'
import { createSteadyCalls, type SteadyCall } from './support/steady-calls.ts'

const usualLines = 100_000
const perSecond = 200
const places = 400
/** On average a second: the places are good for 400 calls a second, a fraction of what the machine can do. */
const latency = { kind: 'uniform', minMs: 500, maxMs: 1_500 } as const
/** For the usual batch; they shrink with it, as it must last through all of them. */
const aloneMs = 10_000
const besideMs = 20_000
const mark = 'interactive-'

const openStage = async (environment: TestEnvironment) => {
  const sim = await startSim(environment, '--journal')
  await sim.behave({ latency })
  const { redisUrl, config } = batonInput(environment.redisUrl, sim.url, places)
  const storage = { path: join(environment.dir, 'blobs') }
  const input = { redisUrl, config: { ...config, storage, batches: { max_lines: 1_000_000 } } }
  await startBaton(environment, 'worker', input)
  await startBaton(environment, 'batches', input)
  const api = await startBaton(environment, 'api', input)
  const steady = createSteadyCalls(api.url, mark)
  environment.closing(steady.close)
  return { sim, steady, client: createBatchClient(api.url) }
}

type Stage = Awaited<ReturnType<typeof openStage>>

/** Starts a batch and waits until it has nearly all places. */
const startBatch = async ({ sim, client }: Stage, path: string, count: number): Promise<void> => {
  await writeRequests(path, count, chatLineBytes)
  const { id } = await client.create(await client.upload(path))
  await client.until(id, ({ status }) => status === 'in_progress')
  const hasFilled = async () => fillingOf((await sim.journal()).slice(-2 * places)).peak >= 0.9 * places
  await until(hasFilled, { everyMs: 500 })
}

/** The batch's calls that the provider answered while `work` was done, a second. */
const batchSpeed = async <T>({ sim }: Stage, work: () => Promise<T>): Promise<[T, number]> => {
  const fromMs = Date.now()
  const result = await work()
  const toMs = Date.now()
  const answered = (await sim.journal()).filter(
    ({ identity, endedAtMs }) =>
      !identity?.startsWith(mark) && endedAtMs !== null && endedAtMs >= fromMs && endedAtMs < toMs,
  )
  return [result, (answered.length * 1_000) / (toMs - fromMs)]
}

/** Interactive calls beside a batch that could fill every place. */
export const mixed = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const stage = await openStage(environment)
    const { sim, steady } = stage
    const lines = jobsOr(usualLines)
    const share = Math.min(1, lines / usualLines)
    await steady.run(perSecond, aloneMs / 2)
    const without = await steady.run(perSecond, aloneMs)
    await startBatch(stage, join(environment.dir, 'requests.jsonl'), lines)
    const [, before] = await batchSpeed(stage, () => delay(aloneMs * share))
    const [beside, kept] = await batchSpeed(stage, () => steady.run(perSecond, besideMs * share))
    const [, after] = await batchSpeed(stage, () => delay(aloneMs * share))
    const startedAtMs = new Map((await sim.journal()).map(call => [call.identity, call.startedAtMs]))
    const waitsOf = (calls: readonly SteadyCall[]): Waits => ({
      calls: calls.map(call => Math.max(0, startedAtMs.get(call.mark)! - call.dueAtMs)),
      answers: calls.map(call => call.answeredAtMs - call.dueAtMs),
    })
    printWaits(waitsOf(without), waitsOf(beside))
    console.log()
    printSpeeds((before + after) / 2, kept)
  })

/** From the moment at which each call was due, in ms. */
interface Waits {
  /** Until the provider was called. */
  readonly calls: readonly number[]
  /** Until the answer had come. */
  readonly answers: readonly number[]
}

const printWaits = (without: Waits, beside: Waits): void =>
  printTable(
    ['an interactive call, ms', 'alone', 'beside the batch', 'added'],
    (['calls', 'answers'] as const).flatMap(figure =>
      [50, 99].map(percent => {
        const [alone, together] = [percentile(without[figure], percent), percentile(beside[figure], percent)]
        const until = figure === 'calls' ? 'until the provider is called' : 'until its answer'
        return [`${until}, p${percent}`, fixed(alone, 1), fixed(together, 1), fixed(together - alone, 1)]
      }),
    ),
  )

const printSpeeds = (alone: number, beside: number): void =>
  printTable(
    [`the batch, calls/s on ${places} places`, '', 'of its own speed', 'of what is left to it'],
    [
      ['alone', whole(alone), '1.00', ''],
      [
        `beside ${perSecond} interactive calls/s`,
        whole(beside),
        fixed(beside / alone, 2),
        fixed(beside / (alone - perSecond), 2),
      ],
    ],
  )
