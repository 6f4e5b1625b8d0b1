import { join } from 'node:path'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { fixed, median, printTable, whole } from '../harness/figures.ts'
import { cpuMicrosOf, peakResidentBytesOf } from '../harness/process-usage.ts'
import type { SimulatedProvider } from '../harness/simulated-provider.ts'
import type { BareLoopInput, BareLoopReport } from './processes/bare-loop.ts'
import { chatLineBytes, createBatchClient, writeRequests } from './support/batches.ts'
import { fillingOf } from './support/calls-over-time.ts'
import { batonInput } from './support/deployment.ts'
import { jobsOr, roundsOr } from './support/options.ts'
import { startBaton, startProcess, startSim } from './support/processes.ts'

/** A batch of so many lines, each answered after so long by a provider that takes so many calls at once. */
interface Task {
  readonly lines: number
  readonly latencyMs: number
  readonly places: number
}

const usualTasks: readonly Task[] = [
  { lines: 8_000, latencyMs: 5_000, places: 2_000 },
  { lines: 10_000, latencyMs: 15_000, places: 5_000 },
]
const answerBytes = 1_000
/** Places that count as all: the last ones of a wave depend on single calls. */
const mostOf = 0.9

/** `--jobs`: the lines of the first task; the rest shrinks with them. */
const tasks = (): readonly Task[] => {
  const share = jobsOr(usualTasks[0]!.lines) / usualTasks[0]!.lines
  return usualTasks.map(({ lines, latencyMs, places }) => ({
    lines: Math.round(lines * share),
    latencyMs,
    places: Math.round(places * share),
  }))
}

const idealMs = ({ lines, latencyMs, places }: Task): number => Math.ceil(lines / places) * latencyMs

interface Run {
  readonly ms: number
  /** Null where so many were never under way. */
  readonly mostPlacesMs: number | null
  readonly peak: number
  readonly peakBytes: number
  /** Processor time of the process that calls, for each call. */
  readonly slowMicros: number
  /** The same where all is answered at once. */
  readonly fastMicros: number
}

type Way = 'bare' | 'baton'

interface Stage {
  readonly environment: TestEnvironment
  readonly sim: SimulatedProvider
  readonly requests: string
  readonly task: Task
}

const openStage = async (environment: TestEnvironment, task: Task): Promise<Stage> => {
  const sim = await startSim(environment, '--journal', '--answer-bytes', String(answerBytes))
  const requests = join(environment.dir, 'requests.jsonl')
  await writeRequests(requests, task.lines, chatLineBytes)
  return { environment, sim, requests, task }
}

const slowly = ({ sim, task }: Stage): Promise<void> =>
  sim.behave({ latency: { kind: 'fixed', ms: task.latencyMs } })

/** What the provider saw of calls since a moment, in Unix ms. */
const seenSince = async ({ sim, task }: Stage, startedAtMs: number) => {
  const filling = fillingOf((await sim.journal()).filter(call => call.startedAtMs >= startedAtMs))
  const mostAtMs = filling.reachedAtMs(Math.ceil(mostOf * task.places))
  return { peak: filling.peak, mostPlacesMs: mostAtMs === null ? null : mostAtMs - startedAtMs }
}

const runBareLoop = async ({ environment, sim, requests, task }: Stage): Promise<BareLoopReport> => {
  const outputPath = join(environment.dir, 'answers.jsonl')
  const input: BareLoopInput = { url: sim.url, inputPath: requests, outputPath, lanes: task.places }
  const loop = await startProcess(environment, 'bare-loop', input)
  const { code } = await loop.exited
  if (code !== 0) throw new Error(`the bare loop ended with ${code}:\n${loop.output}`)
  return JSON.parse(loop.output.trim().split('\n').at(-1)!) as BareLoopReport
}

const bare = async (stage: Stage): Promise<Run> => {
  const { lines } = stage.task
  const fast = await runBareLoop(stage)
  await slowly(stage)
  const startedAtMs = Date.now()
  const slow = await runBareLoop(stage)
  return {
    ...slow,
    ...(await seenSince(stage, startedAtMs)),
    slowMicros: slow.cpuMicros / lines,
    fastMicros: fast.cpuMicros / lines,
  }
}

/** API, feeder and worker; the batch is uploaded before. */
const openBaton = async ({ environment, sim, requests, task }: Stage) => {
  const { redisUrl, config } = batonInput(environment.redisUrl, sim.url, task.places)
  const input = { redisUrl, config: { ...config, storage: { path: join(environment.dir, 'blobs') } } }
  const worker = await startBaton(environment, 'worker', input)
  await startBaton(environment, 'batches', input)
  const api = await startBaton(environment, 'api', input)
  const client = createBatchClient(api.url)
  const fileId = await client.upload(requests)

  /** From its create to `completed`, when the output is durable. */
  const run = async () => {
    const cpuBefore = await cpuMicrosOf(worker.pid)
    const startedAtMs = Date.now()
    const { id } = await client.create(fileId)
    const batch = await client.until(id, ({ status }) => status === 'completed', 50)
    const ms = Date.now() - startedAtMs
    if (batch.request_counts.completed !== task.lines)
      throw new Error(`only ${batch.request_counts.completed} answers`)
    return { ms, startedAtMs, micros: ((await cpuMicrosOf(worker.pid)) - cpuBefore) / task.lines }
  }
  return { worker, run }
}

const baton = async (stage: Stage): Promise<Run> => {
  const { worker, run } = await openBaton(stage)
  await slowly(stage)
  const slow = await run()
  const peakBytes = await peakResidentBytesOf(worker.pid)
  const seen = await seenSince(stage, slow.startedAtMs)
  await stage.sim.behave({})
  const fast = await run()
  return { ms: slow.ms, ...seen, peakBytes, slowMicros: slow.micros, fastMicros: fast.micros }
}

/** Each turn has processes of its own, so that a peak is of that turn, and nothing was learned before. */
const takeTurn = async (way: Way, task: Task): Promise<Run> => {
  let run: Run | undefined
  await withTestEnvironment(async environment => {
    run = await (way === 'bare' ? bare : baton)(await openStage(environment, task))
  })
  return run!
}

const ways: readonly Way[] = ['bare', 'baton']
const called: Record<Way, string> = { bare: 'bare loop', baton: 'Baton' }
const seconds = (ms: number): string => fixed(ms / 1e3, 1)

const middleOf = (runs: readonly Run[], figure: Exclude<keyof Run, 'mostPlacesMs'>): number =>
  median(runs.map(run => run[figure]))

const mostPlacesOf = (runs: readonly Run[]): string => {
  const times = runs.map(run => run.mostPlacesMs)
  return times.some(ms => ms === null) ? 'never' : seconds(median(times as number[]))
}

const print = (task: Task, runs: Readonly<Record<Way, readonly Run[]>>): void => {
  const { lines, latencyMs, places } = task
  const toBare = (i: number, run: Run) => run.ms / runs.bare[i]!.ms
  printTable(
    [
      `${whole(lines)} lines, ${latencyMs / 1e3} s each, ${whole(places)} places`,
      'seconds',
      'to ideal',
      'to bare',
      '90 % taken after, s',
      'at once',
      'MB',
      'µs a call',
      'at once answered, µs',
    ],
    [
      ['ideal', seconds(idealMs(task)), '1.00', '', '0.0', whole(places), '', '', ''],
      ...ways.map(way => [
        called[way],
        seconds(middleOf(runs[way], 'ms')),
        fixed(middleOf(runs[way], 'ms') / idealMs(task), 2),
        fixed(median(runs[way].map((run, i) => toBare(i, run))), 2),
        mostPlacesOf(runs[way]),
        whole(middleOf(runs[way], 'peak')),
        fixed(middleOf(runs[way], 'peakBytes') / 1e6, 0),
        whole(middleOf(runs[way], 'slowMicros')),
        whole(middleOf(runs[way], 'fastMicros')),
      ]),
    ],
  )
}

/** Batches of slow calls: by a bare loop of `fetch`, in the ideal case, and by Baton. */
export const slow = async (): Promise<void> => {
  for (const [i, task] of tasks().entries()) {
    if (i > 0) console.log()
    const runs: Record<Way, Run[]> = { bare: [], baton: [] }
    for (let round = 0; round < roundsOr(1); round++)
      for (const way of ways) runs[way].push(await takeTurn(way, task))
    print(task, runs)
  }
}
