import type { Child } from '../harness/child.ts'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { fixed, percentile, printTable, whole } from '../harness/figures.ts'
import type { SimulatedProvider } from '../harness/simulated-provider.ts'
import { providerQueue } from '../src/queue/doorbells.ts'
import { chatBody, chatPath, createClient } from './support/chat.ts'
import { type Contender, measure, middle, ratioOf, takeTurns } from './support/compare.ts'
import { type BatonInput, backup, provider } from './support/deployment.ts'
import { draining } from './support/draining.ts'
import { loadQueue } from './support/load-queue.ts'
import { jobsOr, roundsOr } from './support/options.ts'
import { startBaton, startSim } from './support/processes.ts'
import { allSettled, assertSucceeded, keys, placeOf } from './support/queue-state.ts'
import { broken, keyed, relayInput, relayRoutes } from './support/relay.ts'

type Case = keyof typeof relayRoutes

const cases = Object.keys(relayRoutes) as Case[]
const called: Record<Case, string> = {
  answers: 'answers',
  throttles: 'answers 429',
  turnsAway: 'answers 429 to each job',
  cooling: 'is cooling off',
  open: 'has its breaker open',
}
const concurrency = 100
const usualJobs = 4_000
const usualRounds = 3
const warmUpCalls = 100
const loneCalls = 500
const workersOf = [provider, broken, keyed, backup]
const queues = workersOf.map(name => placeOf(providerQueue(name)))

/** Calls made at the first provider and at the second, by one case over all rounds, and the jobs they were made for. */
interface Tally {
  jobs: number
  first: number
  second: number
}

interface Parties {
  readonly input: BatonInput
  readonly sims: readonly [first: SimulatedProvider, second: SimulatedProvider]
  readonly workers: readonly Child[]
}

/** Each of a case's jobs waits for the first target, even when that is known to be out of use. */
const createCase = (environment: TestEnvironment, name: Case, parties: Parties, tally: Tally): Contender => {
  const { redis } = environment
  const { input, sims, workers } = parties
  let jobIds: string[] = []
  let before: number[] = []
  return draining(environment, {
    workers,
    load: async count => {
      // Workers keep in mind what they learned. Forgotten here, it does not send new jobs past the first target.
      await redis.unlink(`${keys.prefix}:{health}:board`, `${keys.prefix}:{health}:circuits`)
      jobIds = await loadQueue(input, count, { route: relayRoutes[name] })
      before = await Promise.all(sims.map(sim => sim.calls()))
    },
    isDone: () => allSettled(redis, queues),
    check: async () => {
      await assertSucceeded(redis, jobIds)
      const [first, second] = (await Promise.all(sims.map(sim => sim.calls()))) as [number, number]
      tally.jobs += jobIds.length
      tally.first += first - before[0]!
      tally.second += second - before[1]!
      await redis.unlink(jobIds.map(keys.record))
    },
  })
}

const byCase = <Value>(make: (name: Case) => Value): Record<Case, Value> =>
  Object.fromEntries(cases.map(name => [name, make(name)])) as Record<Case, Value>

const underLoad = async (environment: TestEnvironment, parties: Parties): Promise<void> => {
  const tallies = byCase((): Tally => ({ jobs: 0, first: 0, second: 0 }))
  const contenders = byCase(name => createCase(environment, name, parties, tallies[name]))
  const count = jobsOr(usualJobs)
  // Warms up, and brings the first targets to where they stay.
  for (const name of cases) await measure(contenders[name], count)
  for (const name of cases) Object.assign(tallies[name], { jobs: 0, first: 0, second: 0 })
  const speeds = await takeTurns(contenders, () => count, roundsOr(usualRounds))
  printTable(
    [
      'the first target',
      'jobs/s',
      'ratio',
      'workers, µs a job',
      'Redis, µs a job',
      'calls a job, first',
      'second',
    ],
    cases.map(name => [
      called[name],
      whole(middle(speeds[name], 'perSecond')),
      fixed(ratioOf(speeds[name], speeds.answers), 2),
      whole(middle(speeds[name], 'processMicros')),
      whole(middle(speeds[name], 'redisMicros')),
      fixed(tallies[name].first / tallies[name].jobs, 2),
      fixed(tallies[name].second / tallies[name].jobs, 2),
    ]),
  )
}

/**
 * Call by call in turn, with nothing else going on. The API does not know what is out of use, else it would
 * send a call to the second target at once and there would be no handover.
 */
const alone = async (environment: TestEnvironment, { input, workers }: Parties): Promise<void> => {
  const api = await startBaton(environment, 'api', input)
  const client = createClient(api.url, 1)
  environment.closing(() => client.close())
  for (const worker of workers) worker.thaw()
  const times = byCase((): number[] => [])
  for (let i = 0; i < warmUpCalls + loneCalls; i++) {
    for (const name of i % 2 === 0 ? cases : cases.toReversed()) {
      const text = JSON.stringify({ ...chatBody, model: relayRoutes[name] })
      const startedAt = performance.now()
      await client.post(chatPath, text, 200)
      if (i >= warmUpCalls) times[name].push(performance.now() - startedAt)
    }
  }
  const at = (name: Case, percent: number): number => percentile(times[name], percent)
  printTable(
    ['a lone call, ms', 'p50', 'p99', 'added, p50', 'added, p99'],
    cases.map(name => [
      called[name],
      ...[50, 99].map(percent => fixed(at(name, percent), 2)),
      ...[50, 99].map(percent => fixed(at(name, percent) - at('answers', percent), 2)),
    ]),
  )
}

/** What it takes to move a job on to its second target, with a call at the first and without one. */
export const handoverCost = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const [first, second] = await Promise.all([startSim(environment), startSim(environment)])
    const input = relayInput(environment.redisUrl, first.url, second.url, concurrency)
    const workers = await Promise.all(
      workersOf.map(worksOn => startBaton(environment, 'worker', { ...input, worksOn })),
    )
    const parties: Parties = { input, sims: [first, second], workers }
    await underLoad(environment, parties)
    console.log()
    await alone(environment, parties)
  })
