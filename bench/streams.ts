import { setTimeout as delay } from 'node:timers/promises'
import type { Child } from '../harness/child.ts'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { fixed, median, printTable, whole } from '../harness/figures.ts'
import { cpuMicrosOf, residentBytesOf } from '../harness/process-usage.ts'
import { batonInput } from './support/deployment.ts'
import { gatewayHeaders, startGateway } from './support/gateway.ts'
import { jobsOr, roundsOr } from './support/options.ts'
import { startBaton } from './support/processes.ts'
import {
  type Pace,
  type StreamClient,
  type StreamLoad,
  type StreamReport,
  startStreamClient,
  startStreamProvider,
} from './support/stream-load.ts'

const usualStreams = 400
const usualRounds = 3
const perSecond = 100
/** At the usual rate some 40 of them are open at a time. */
const pace: Pace = { tokens: 40, firstTokenMs: 20, gapMs: 10 }
/** More than any way of the machine's can pass on: 30,000 tokens a second. */
const fullPace: Pace = { ...pace, tokens: 150 }
const fullLanes = 300
const openStreams = 2_000
/** They outlast their beginning, 250 a second. */
const slowPace: Pace = { tokens: 20, firstTokenMs: 20, gapMs: 2_000 }
const beginPerSecond = 250
/** So that each open stream has had some tokens. */
const settleMs = 4_000
/** For what came up while they were frozen. */
const catchUpMs = 300
/** More calls than are ever under way. */
const places = 2_500

const names = ['direct', 'gateway', 'express', 'queue'] as const
type Name = (typeof names)[number]

type OwnName = 'express' | 'queue'

const called: Record<Name, string> = {
  direct: 'direct',
  gateway: 'gateway',
  express: 'Baton, one process',
  queue: 'Baton, API and worker',
}

/** One way of a stream from the provider to its reader. */
interface Way {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** The process that calls the provider, and the one that readers are connected to. */
  readonly worker?: Child
  readonly api?: Child
}

interface Stage {
  readonly environment: TestEnvironment
  readonly client: StreamClient
  readonly ways: Readonly<Record<Name, Way>>
}

const childrenOf = ({ worker, api }: Way): readonly Child[] => [
  ...new Set([worker, api].filter(child => child !== undefined)),
]

/** Without the gateway. */
interface OwnStage extends Omit<Stage, 'ways'> {
  readonly providerUrl: string
  readonly ways: Readonly<Record<OwnName | 'direct', Way>>
}

const openStage = async (environment: TestEnvironment): Promise<OwnStage> => {
  const provider = await startStreamProvider(environment)
  const client = await startStreamClient(environment)
  const input = batonInput(environment.redisUrl, provider.url, places)
  const worker = await startBaton(environment, 'worker', input)
  const api = await startBaton(environment, 'api', input)
  const apart = { ...input, config: { ...input.config, redis: { prefix: 'express' } } }
  const express = await startBaton(environment, 'all', apart)
  for (const child of [worker, api, express]) child.freeze()
  return {
    environment,
    client,
    providerUrl: provider.url,
    ways: {
      direct: { url: provider.url, headers: {} },
      express: { url: express.url, headers: {}, api: express },
      queue: { url: api.url, headers: {}, worker, api },
    },
  }
}

const withGateway = async (stage: OwnStage): Promise<Stage> => {
  const api = await startGateway(stage.environment, true)
  api.freeze()
  const headers = gatewayHeaders(stage.providerUrl, stage.providerUrl)
  return { ...stage, ways: { ...stage.ways, gateway: { url: api.url, headers, api } } }
}

/** Lets these processes alone run while `work` is done. */
const awake = async <T>(way: Way, work: () => Promise<T>): Promise<T> => {
  for (const child of childrenOf(way)) child.thaw()
  await delay(catchUpMs)
  const result = await work()
  for (const child of childrenOf(way)) child.freeze()
  return result
}

interface Turn extends StreamReport {
  /** Microseconds of processor time a token. */
  readonly worker: number
  readonly api: number
  readonly redis: number
}

type Turns = Readonly<Record<Name, readonly Turn[]>>
type Load = Omit<StreamLoad, 'url' | 'headers'>

const warmUp: Load = { pace, streams: 200, perSecond, lanes: 0 }
const full: Load = { pace: fullPace, streams: fullLanes, perSecond: null, lanes: fullLanes }

const takeTurn = ({ environment, client, ways }: Stage, name: Name, load: Load): Promise<Turn> => {
  const way = ways[name]
  const pids = [way.worker?.pid, way.api?.pid, environment.redisPid]
  const micros = () => Promise.all(pids.map(pid => (pid === undefined ? 0 : cpuMicrosOf(pid))))
  return awake(way, async () => {
    const before = await micros()
    const report = await client.run({ ...load, url: way.url, headers: way.headers })
    const after = await micros()
    const [worker, api, redis] = after.map((all, i) => (all - before[i]!) / report.tokens) as [
      number,
      number,
      number,
    ]
    return { ...report, worker, api, redis }
  })
}

/** All ways in each round, in changing order. */
const takeTurns = async (stage: Stage, load: Load, rounds: number): Promise<Turns> => {
  const turns: Record<Name, Turn[]> = { direct: [], gateway: [], express: [], queue: [] }
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed())
      turns[name].push(await takeTurn(stage, name, load))
  }
  return turns
}

const middleOf = (turns: readonly Turn[], figure: (turn: Turn, round: number) => number): number =>
  median(turns.map(figure))

const microsOf = (name: Name, turns: readonly Turn[]): string[] =>
  (['worker', 'api', 'redis'] as const).map(part => {
    const hasPart =
      name === 'queue' || (name === 'express' && part !== 'worker') || (name === 'gateway' && part === 'api')
    return hasPart ? whole(middleOf(turns, turn => turn[part])) : ''
  })

const microsHead = ['worker, µs a token', 'API, µs', 'Redis, µs'] as const

const printDelays = (turns: Turns): void =>
  printTable(
    [
      `${perSecond} streams/s of ${pace.tokens} tokens, ms`,
      ...['first token, p50', 'p99', 'added, p50', 'p99', 'later ones, p50', 'p99'],
      ...microsHead,
    ],
    names.map(name => {
      const own = turns[name]
      const added = (percent: 'p50' | 'p99') =>
        middleOf(own, (turn, round) => turn.first[percent] - turns.direct[round]!.first[percent])
      return [
        called[name],
        ...(['p50', 'p99'] as const).map(percent =>
          fixed(
            middleOf(own, turn => turn.first[percent]),
            1,
          ),
        ),
        ...(['p50', 'p99'] as const).map(percent => (name === 'direct' ? '' : fixed(added(percent), 1))),
        ...(['p50', 'p99'] as const).map(percent =>
          fixed(
            middleOf(own, turn => turn.later[percent]),
            1,
          ),
        ),
        ...microsOf(name, own),
      ]
    }),
  )

const tokensPerSecond = ({ tokens, ms }: StreamReport): number => (tokens * 1_000) / ms

const printSpeeds = (turns: Turns): void =>
  printTable(
    [
      `${fullLanes} streams at a time, ${fullPace.tokens} tokens each`,
      ...['tokens/s', 'to direct', 'a core of the worker, tokens/s'],
      ...microsHead,
    ],
    names.map(name => {
      const own = turns[name]
      const ratio = (turn: Turn, round: number) =>
        tokensPerSecond(turn) / tokensPerSecond(turns.direct[round]!)
      return [
        called[name],
        whole(middleOf(own, tokensPerSecond)),
        fixed(middleOf(own, ratio), 2),
        name === 'queue' ? whole(1e6 / middleOf(own, turn => turn.worker)) : '',
        ...microsOf(name, own),
      ]
    }),
  )

/** Resident bytes of the processes of a way, with no stream open and with all. */
const memoryOf = async (
  { client, ways }: OwnStage,
  name: OwnName,
): Promise<readonly (readonly [number, number])[]> => {
  const way = ways[name]
  const bytes = () => Promise.all(childrenOf(way).map(child => residentBytesOf(child.pid)))
  const to = { url: way.url, headers: way.headers }
  return awake(way, async () => {
    await client.run({ ...warmUp, ...to })
    const before = await bytes()
    const load = { pace: slowPace, streams: openStreams, perSecond: beginPerSecond, lanes: 0 }
    await client.open({ ...load, ...to })
    await delay(settleMs)
    const after = await bytes()
    return before.map((idle, i) => [idle, after[i]!] as const)
  })
}

const printMemory = async (stage: OwnStage): Promise<void> => {
  const rows: string[][] = []
  for (const name of ['express', 'queue'] as const) {
    const parts = name === 'express' ? [called.express] : ['Baton, worker', 'Baton, API']
    for (const [i, [before, after]] of (await memoryOf(stage, name)).entries())
      rows.push([
        parts[i]!,
        ...[before, after].map(bytes => fixed(bytes / 1e6, 0)),
        fixed((after - before) / openStreams / 1e3, 1),
      ])
  }
  printTable([`${whole(openStreams)} open streams`, 'MB before', 'MB with them', 'kB a stream'], rows)
}

/** Streams through Baton in one process and in two, through the gateway, and without either. */
export const streams = async (): Promise<void> => {
  await withTestEnvironment(async environment => {
    const stage = await withGateway(await openStage(environment))
    const rounds = roundsOr(usualRounds)
    await takeTurns(stage, warmUp, 1)
    printDelays(await takeTurns(stage, { ...warmUp, streams: jobsOr(usualStreams) }, rounds))
    console.log()
    printSpeeds(await takeTurns(stage, full, rounds))
    console.log()
  })
  // By new processes: what the turns left behind would hide what streams take.
  await withTestEnvironment(async environment => printMemory(await openStage(environment)))
}
