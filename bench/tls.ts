import { setTimeout as delay } from 'node:timers/promises'
import { shippedNodeOptions } from '../harness/child.ts'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { fixed, printTable, whole } from '../harness/figures.ts'
import type { TlsCallerInput, TlsCallerReport } from './processes/tls-caller.ts'
import type { TlsServerCounts, TlsServerInput, TlsServerReady } from './processes/tls-server.ts'
import { makeCertificate } from './support/certificate.ts'
import { jobsOr } from './support/options.ts'
import { startProcess, startSim } from './support/processes.ts'

const answerBytes = 1_000
const fastLanes = 100
const fastCalls = 10_000
const slowLanes = 2_000
const slowMs = 5_000
/** Turns of the slow calls: the first one makes the connections, the second one finds them. */
const turns = 2
/** A connection is broken off so long after the first calls began. */
const cutAfterMs = 3_000

/** How the same calls go out. */
interface Way {
  readonly name: string
  readonly isPlain?: boolean
  readonly streams: number | null
}

const ways: readonly Way[] = [
  { name: 'HTTP/1.1 without TLS', isPlain: true, streams: null },
  { name: 'HTTP/1.1, a call a connection', streams: null },
  { name: 'HTTP/2, 10 streams a connection', streams: 10 },
  { name: 'HTTP/2, 100 streams a connection', streams: 100 },
]

interface Load {
  readonly lanes: number
  readonly calls: number
  readonly delayMs: number
  readonly isCut?: boolean
}

type Run = TlsCallerReport & TlsServerCounts

/** The two servers: the simulated provider for plain calls, and one that speaks TLS. */
const openServers = async (environment: TestEnvironment) => {
  const certificate = await makeCertificate(environment.dir)
  const input: TlsServerInput = { ...certificate, answerBytes }
  const server = await startProcess(environment, 'tls-server', input)
  const { port, control } = JSON.parse(server.url) as TlsServerReady
  const sim = await startSim(environment, '--answer-bytes', String(answerBytes))
  const ask = async (path: string) => (await (await fetch(control + path)).json()) as TlsServerCounts
  return {
    caFile: certificate.certFile,
    ask,
    plain: sim,
    originOf: ({ isPlain }: Way) => (isPlain ? sim.url : `https://localhost:${port}`),
  }
}

type Servers = Awaited<ReturnType<typeof openServers>>

const run = async (
  environment: TestEnvironment,
  servers: Servers,
  way: Way,
  { lanes, calls, delayMs, isCut = false }: Load,
): Promise<Run> => {
  await servers.plain.behave({ latency: { kind: 'fixed', ms: delayMs } })
  const before = await servers.ask(`/delay/${delayMs}`)
  const { caFile, originOf } = servers
  const input: TlsCallerInput = { origin: originOf(way), caFile, streams: way.streams, lanes, calls }
  const caller = await startProcess(environment, 'tls-caller', input, await shippedNodeOptions('worker'))
  if (isCut) {
    await delay(cutAfterMs)
    await servers.ask('/cut')
  }
  const { code } = await caller.exited
  if (code !== 0) throw new Error(`${way.name} ended with ${code}:\n${caller.output}`)
  const after = await servers.ask('/counts')
  return {
    ...(JSON.parse(caller.output.trim().split('\n').at(-1)!) as TlsCallerReport),
    handshakes: after.handshakes - before.handshakes,
    resumed: after.resumed - before.resumed,
  }
}

const rowOf = async (environment: TestEnvironment, servers: Servers, way: Way): Promise<string[]> => {
  const lanes = jobsOr(slowLanes)
  const fast = await run(environment, servers, way, { lanes: fastLanes, calls: fastCalls, delayMs: 0 })
  const slow = await run(environment, servers, way, { lanes, calls: turns * lanes, delayMs: slowMs })
  const cut = way.isPlain
    ? null
    : await run(environment, servers, way, { lanes, calls: lanes, delayMs: 2 * cutAfterMs, isCut: true })
  return [
    way.name,
    whole(fast.cpuMicros / fastCalls),
    whole(slow.cpuMicros / (turns * lanes)),
    fixed(slow.bytes / lanes / 1e3, 1),
    way.isPlain ? '' : whole(slow.handshakes),
    way.isPlain ? '' : whole(slow.resumed),
    fixed(slow.ms / (turns * slowMs), 2),
    whole(fast.lost + slow.lost),
    cut === null ? '' : whole(cut.lost),
  ]
}

/** The same calls over TLS by HTTP/1.1 and by HTTP/2, and what one lost connection costs. */
export const tls = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const servers = await openServers(environment)
    const rows: string[][] = []
    for (const way of ways) rows.push(await rowOf(environment, servers, way))
    printTable(
      [
        `${fastLanes} fast, ${whole(jobsOr(slowLanes))} slow calls at once`,
        'µs, fast',
        `µs, ${slowMs / 1e3} s`,
        'kB each',
        'handshakes',
        'resumed',
        'to ideal',
        'lost',
        'lost with a connection',
      ],
      rows,
    )
  })
