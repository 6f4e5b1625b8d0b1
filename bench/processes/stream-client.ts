import { json } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { Pool } from 'undici'
import { percentile } from '../../harness/figures.ts'
import { createHttpListener } from '../../src/sim/http-listener.ts'
import { chatPath, inLanes } from '../support/chat.ts'
import { nowMicros, type StreamLoad, type StreamReport, streamText } from '../support/stream-load.ts'

// Readers of streams, told over HTTP what to read: `/run` answers with the report, `/open` once all have their first
// token. Says its URL.

const pools = new Map<string, Pool>()
/** More than there are streams at a time, so that none waits for a connection. */
const connections = 4_000
const end = 'data: [DONE]'

const poolOf = (url: string): Pool => {
  const known = pools.get(url)
  if (known) return known
  const pool = new Pool(url, {
    connections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: 60_000 },
  })
  pools.set(url, pool)
  return pool
}

/** Reads one stream to its end; `onToken` is given when its provider wrote each token. Rejects where it is not whole. */
const readStream = async (load: StreamLoad, onToken: (writtenAt: number) => void): Promise<void> => {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer bench', ...load.headers }
  const request = { path: chatPath, method: 'POST', headers, body: streamText(load.pace) } as const
  const { statusCode, body } = await poolOf(load.url).request(request)
  let rest = ''
  let tokens = 0
  body.on('data', (chunk: Buffer) => {
    const text = rest + chunk.toString('latin1')
    const whole = text.lastIndexOf('\n\n')
    for (const [, writtenAt] of text.slice(0, whole).matchAll(/"content":"(\d+) "/g)) {
      tokens++
      onToken(Number(writtenAt))
    }
    rest = text.slice(whole)
    if (text.includes(end)) rest = end
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  body.on('end', resolve).on('error', reject)
  await promise
  if (statusCode !== 200 || tokens !== load.pace.tokens || rest !== end)
    throw new Error(`a stream of ${load.url} ended with status ${statusCode} after ${tokens} tokens`)
}

/** Calls `start` for each stream when it is due; with what it returns there is one fewer under way. */
const inTime = async (load: StreamLoad, start: (dueAt: number) => Promise<void>): Promise<void> => {
  const { streams, perSecond, lanes } = load
  if (perSecond === null) return inLanes(lanes, streams, () => start(nowMicros()))
  const startedAt = nowMicros()
  const begun: Promise<void>[] = []
  for (let i = 0; i < streams; i++) {
    const dueAt = startedAt + (i * 1e6) / perSecond
    const waitMs = (dueAt - nowMicros()) / 1e3
    if (waitMs >= 1) await delay(waitMs)
    const stream = start(dueAt)
    // It is told once all have begun.
    stream.catch(() => undefined)
    begun.push(stream)
  }
  await Promise.all(begun)
}

const both = (values: readonly number[]) => ({ p50: percentile(values, 50), p99: percentile(values, 99) })

const run = async (load: StreamLoad): Promise<StreamReport> => {
  const first: number[] = []
  const later: number[] = []
  const startedAt = performance.now()
  await inTime(load, dueAt => {
    let isFirst = true
    return readStream(load, writtenAt => {
      const at = nowMicros()
      if (isFirst) first.push((at - dueAt) / 1e3)
      else later.push((at - writtenAt) / 1e3)
      isFirst = false
    })
  })
  const ms = performance.now() - startedAt
  return { ms, tokens: first.length + later.length, first: both(first), later: both(later) }
}

/** What becomes of them after their first token is not looked at. */
const open = (load: StreamLoad): Promise<void> =>
  inTime(load, () => new Promise((resolve, reject) => void readStream(load, () => resolve()).catch(reject)))

const { url } = await createHttpListener(async (req, res) => {
  try {
    const load = (await json(req)) as StreamLoad
    res.end(JSON.stringify((await (req.url === '/open' ? open : run)(load)) ?? null))
  } catch (error) {
    res.writeHead(500).end(String((error as Error).stack))
  }
}).start()
process.send!(url)
