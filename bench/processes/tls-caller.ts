import { readFileSync } from 'node:fs'
import { Pool } from 'undici'
import type { UpstreamOutcome } from '../../src/domain/upstream.ts'
import { createConnections } from '../../src/providers/connections.ts'
import { UpstreamCall } from '../../src/providers/upstream-call.ts'
import { chatPath, chatText, inLanes } from '../support/chat.ts'

export interface TlsCallerInput {
  readonly origin: string
  readonly caFile: string
  /** Of HTTP/2, streams at a time on a connection; null for HTTP/1.1 with one call at a time on a connection. */
  readonly streams: number | null
  readonly lanes: number
  readonly calls: number
}

/** What it prints at its end. */
export interface TlsCallerReport {
  readonly ms: number
  readonly cpuMicros: number
  /** The most memory that it had resident, above what it had before the first call. */
  readonly bytes: number
  readonly lost: number
}

const { origin, caFile, streams, lanes, calls } = JSON.parse(process.argv[2]!) as TlsCallerInput
const connect = { ca: readFileSync(caFile), timeout: 30_000 }

/** HTTP/1.1 as the workers speak it; HTTP/2 as undici does, with as many connections as the lanes need. */
const openDispatcher = () => {
  if (streams === null) {
    const connections = createConnections({ origin, connect })
    return { of: (call: UpstreamCall) => connections.take(call)!, close: connections.close }
  }
  const pool = new Pool(origin, {
    connect,
    allowH2: true,
    connections: Math.ceil(lanes / streams),
    h2Options: { maxConcurrentStreams: streams },
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  return { of: () => pool, close: () => pool.destroy() }
}

const dispatcher = openDispatcher()
const headers = { 'content-type': 'application/json', authorization: 'Bearer bench' }

const callOnce = (): Promise<UpstreamOutcome> =>
  new Promise(resolve => {
    const call = new UpstreamCall(32 * 1024 * 1024, resolve)
    dispatcher.of(call).dispatch({ path: chatPath, method: 'POST', headers, body: chatText }, call)
  })

const before = process.memoryUsage.rss()
process.send!('ready')
const startedAt = performance.now()
const cpuBefore = process.cpuUsage()
let lost = 0
await inLanes(lanes, calls, async () => {
  const outcome = await callOnce()
  if (outcome.kind !== 'answer' || outcome.status !== 200) lost++
})
const { user, system } = process.cpuUsage(cpuBefore)
const report: TlsCallerReport = {
  ms: performance.now() - startedAt,
  cpuMicros: user + system,
  bytes: process.resourceUsage().maxRSS * 1_024 - before,
  lost,
}
console.log(JSON.stringify(report))
await dispatcher.close()
process.disconnect()
