import { setTimeout as delay } from 'node:timers/promises'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { fixed, median, percentile, printTable, whole } from '../harness/figures.ts'
import type { SimulatedProvider } from '../harness/simulated-provider.ts'
import { until } from '../harness/until.ts'
import { windowBuckets } from '../src/domain/circuit-terms.ts'
import { type Client, chatBody, chatPath, createClient, inLanes } from './support/chat.ts'
import { apiKey, type BatonInput, backup, provider } from './support/deployment.ts'
import { jobsOr, roundsOr } from './support/options.ts'
import { crossedAt, lastCalls, mostWithin } from './support/outages.ts'
import { startBaton, startSim } from './support/processes.ts'

/** Behind the first provider stands the second; it is a route of its own, too. */
const chain = 'chain'
const spare = 'spare'
const callers = ['w1', 'w2', 'w3', 'w4']
const latencyMs = 20
/** Well below what the machine can do: waiting for a core is not what is measured. */
const perSecond = 60
const usualJobs = 3_000
const usualRounds = 3
const lanes = 32
const slotMs = 2_000
const slots = 5

/** Short, so that a run has several outages; each probe comes as soon after the last as the first one does. */
const resetMs = 5_000
const window = { bucketMs: 200, buckets: windowBuckets, minCalls: 20, errorPercent: 50 }

const inputFor = (redisUrl: string, urls: readonly [string, string], caller: string): BatonInput => {
  const at = (url: string) => ({
    type: 'openai',
    base_url: `${url}/v1`,
    api_key: apiKey,
    headers: { 'x-sim-caller': caller },
    breaker: {
      window: `${window.bucketMs * window.buckets}ms`,
      min_calls: window.minCalls,
      error_percent: window.errorPercent,
      reset: `${resetMs}ms`,
      max_reset: '5s',
    },
    recovery: { ramp: '1s', step_interval: '1s', first_share: 0.5 },
  })
  return {
    redisUrl,
    config: {
      server: { port: 0 },
      providers: { [provider]: at(urls[0]), [backup]: at(urls[1]) },
      models: { [chain]: { provider, fallback_to: spare }, [spare]: { provider: backup } },
    },
  }
}

interface Parties {
  readonly client: Client
  readonly first: SimulatedProvider
  readonly state: () => Promise<string>
}

const open = async (environment: TestEnvironment): Promise<Parties> => {
  const sims = await Promise.all(
    [0, 1].map(() => startSim(environment, '--latency', String(latencyMs), '--journal')),
  )
  const urls = [sims[0]!.url, sims[1]!.url] as const
  const input = (caller: string) => inputFor(environment.redisUrl, urls, caller)
  await Promise.all([
    ...callers.map(caller => startBaton(environment, 'worker', input(caller))),
    startBaton(environment, 'worker', { ...input('backup'), worksOn: backup }),
  ])
  const api = await startBaton(environment, 'api', input('api'))
  const client = createClient(api.url, 256)
  environment.closing(() => client.close())
  return {
    client,
    first: sims[0]!,
    state: async () => {
      const { data } = JSON.parse(await client.get('/v1/providers')) as {
        data: { name: string; state: string }[]
      }
      return data.find(({ name }) => name === provider)!.state
    },
  }
}

const post = async ({ client }: Parties, model: string): Promise<number> => {
  const startedAt = performance.now()
  await client.post(chatPath, JSON.stringify({ ...chatBody, model }), 200)
  return performance.now() - startedAt
}

/**
 * Asks for the models in turn at an even pace, without waiting for answers. Returns the times that each took.
 */
const atPace = async (
  parties: Parties,
  models: readonly string[],
  more: (asked: number) => boolean,
): Promise<number[][]> => {
  const times: Promise<number>[][] = models.map(() => [])
  const startedAt = performance.now()
  for (let asked = 0; more(asked); asked++) {
    await delay(Math.max(0, startedAt + (asked * 1_000) / perSecond - performance.now()))
    const turn = asked % models.length
    times[turn]!.push(post(parties, models[turn]!))
  }
  return Promise.all(times.map(each => Promise.all(each)))
}

const becomes = (parties: Parties, state: string): Promise<true> =>
  until(async () => (await parties.state()) === state)

/** Breaks the first provider under a steady stream of requests. Answers when its processes stopped calling it. */
const leave = async (parties: Parties): Promise<number[]> => {
  const { first } = parties
  let streaming = true
  const stream = atPace(parties, [chain], () => streaming)
  await delay(window.bucketMs * window.buckets)
  const windowFromMs = Date.now() - window.bucketMs * window.buckets
  await first.behave({ fault: { kind: 'error-500' } })
  await becomes(parties, 'down')
  await delay(resetMs / 2) // in which nobody probes
  streaming = false
  await stream
  // The calls before it are in the window, too.
  const calls = (await first.journal()).filter(call => (call.endedAtMs ?? 0) >= windowFromMs)
  const sinceMs = crossedAt(calls, window)
  if (sinceMs === null) throw new Error('nothing failed, yet the provider opened')
  return lastCalls(calls, callers, sinceMs, sinceMs + resetMs / 2)
}

const comeBack = async (parties: Parties): Promise<void> => {
  await parties.first.behave({ latency: { kind: 'fixed', ms: latencyMs } })
  let streaming = true
  const stream = atPace(parties, [chain], () => streaming)
  await becomes(parties, 'healthy')
  streaming = false
  await stream
}

const leaving = async (parties: Parties): Promise<void> => {
  const rounds: number[][] = []
  for (let round = 0; round < roundsOr(usualRounds); round++) {
    if (round > 0) await comeBack(parties)
    rounds.push(await leave(parties))
  }
  printTable(
    ['after the window was crossed, ms', ...callers, 'all'],
    [
      ...rounds.map((ms, i) => [
        `last call, outage ${i + 1}`,
        ...[...ms, Math.max(...ms)].map(each => whole(each)),
      ]),
    ],
  )
}

/** Both routes in turn, request by request, while the first provider is open. */
const addedLatency = async (parties: Parties): Promise<void> => {
  const count = jobsOr(usualJobs)
  await atPace(parties, [chain, spare], asked => asked < 200)
  const [chained, spared] = (await atPace(parties, [chain, spare], asked => asked < count)) as [
    number[],
    number[],
  ]
  const row = (name: string, times: readonly number[]) => [
    name,
    ...[50, 99].map(percent => fixed(percentile(times, percent), 2)),
  ]
  printTable(
    ['a request, ms', 'p50', 'p99'],
    [
      row('the second provider’s own route', spared),
      row('past the one that is open', chained),
      [
        'added',
        ...[50, 99].map(percent => fixed(percentile(chained, percent) - percentile(spared, percent), 2)),
      ],
    ],
  )
}

/** As many as can be had, over some connections; the routes take turns. */
const goodput = async (parties: Parties): Promise<void> => {
  const speedOf = async (model: string): Promise<number> => {
    const endsAt = performance.now() + slotMs
    let done = 0
    await inLanes(lanes, lanes, async () => {
      while (performance.now() < endsAt) {
        await post(parties, model)
        done += 1
      }
    })
    return (done * 1_000) / slotMs
  }
  await speedOf(chain)
  const shares: number[] = []
  const speeds: Record<string, number[]> = { [chain]: [], [spare]: [] }
  for (let slot = 0; slot < slots; slot++) {
    for (const model of slot % 2 === 0 ? [chain, spare] : [spare, chain])
      speeds[model]!.push(await speedOf(model))
    shares.push(speeds[chain]!.at(-1)! / speeds[spare]!.at(-1)!)
  }
  printTable(
    ['answers a second', 'second alone', 'while open', 'share'],
    [['median', whole(median(speeds[spare]!)), whole(median(speeds[chain]!)), fixed(median(shares), 2)]],
  )
}

/** What it costs that a provider fails: until it is left, and while it is. */
export const health = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const parties = await open(environment)
    await leaving(parties)
    const fromMs = Date.now()
    console.log()
    await addedLatency(parties)
    console.log()
    await goodput(parties)
    const probes = (await parties.first.journal()).filter(call => call.startedAtMs >= fromMs)
    console.log()
    const minutes = (Date.now() - fromMs) / 60_000
    printTable(
      ['calls at the provider that is open', ''],
      [
        [`in any ${resetMs / 1_000} s, at most`, whole(mostWithin(probes, resetMs))],
        ['a minute', fixed(probes.length / minutes, 1)],
      ],
    )
  })
