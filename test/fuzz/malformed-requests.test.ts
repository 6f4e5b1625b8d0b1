import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { until } from '../../harness/until.ts'
import type { Document } from '../api/openapi/document.ts'
import { chat } from '../api/test-api.ts'
import type { Exchange } from './malformed/draft.ts'
import { createExchanges } from './malformed/exchanges.ts'
import { createJudge } from './malformed/judge.ts'
import { leftoversOf, type ProcessState, stateOf } from './malformed/leftovers.ts'
import { createRequests } from './malformed/requests.ts'
import { unusedProvider } from './malformed/samples.ts'
import { send } from './malformed/send.ts'
import { type FuzzedServer, marks, openFuzzedServer } from './malformed/server.ts'

const times = inject('fuzzTimes') ?? 1
// The suite sends the same each time; `npm run fuzz` draws anew.
const seed = inject('fuzzSeed') ?? (times === 1 ? 20_261_121 : randomInt(2 ** 31))
const requestCount = 10_000 * times
const connections = 64
/** The heap grows to what it likes at first; from then on it is to stay. In 60,000 requests it did at 385 MB. */
const warmUpCount = requestCount / 2
const residentGrowthMb = 60

let server: FuzzedServer
beforeAll(async () => {
  server = await openFuzzedServer()
})
afterAll(() => server[Symbol.asyncDispose]())

const shown = ({ bytes }: Exchange): string => JSON.stringify(bytes.toString('latin1').slice(0, 2_000))

describe('an API under malformed requests', () => {
  it(`survives ${requestCount} malformed requests`, { timeout: 120_000 * times }, async () => {
    const document = (await server.call('GET', '/openapi.json')).json as Document
    const requests = createRequests(document, server.known)
    const exchangeAt = createExchanges(requests, seed)
    const judge = createJudge(document)
    const port = Number(new URL(server.url).port)
    const faults = new Map<string, string>()
    const statuses = new Set<number>()
    const idle = await stateOf(server)
    let warm: ProcessState | null = null
    let next = 0

    const keepSending = async (): Promise<void> => {
      while (next < requestCount) {
        const index = next++
        if (index === warmUpCount) warm = await stateOf(server)
        const exchange = exchangeAt(index)
        const outcome = await send(port, exchange)
        for (const { status } of outcome.answers) statuses.add(status)
        for (const fault of judge(exchange, outcome)) {
          if (!faults.has(fault))
            faults.set(fault, `seed ${seed}, request ${index}, ${exchange.fault}: ${shown(exchange)}`)
        }
      }
    }
    await Promise.all(Array.from({ length: connections }, keepSending))

    expect([...faults]).toEqual([])
    // What was right among them was served, and wrong in every way that shows.
    const expected = [200, 202, 206, 400, 401, 404, 405, 409, 413, 415, 416, 431]
    expect(expected.filter(status => !statuses.has(status))).toEqual([])
    await until(async () => (await stateOf(server)).descriptors <= idle.descriptors + 2)
    let left: readonly string[] = []
    await until(async () => {
      left = await leftoversOf(server)
      return left.length === 0
    }).catch(() => expect(left).toEqual([]))
    expect((await stateOf(server)).residentMb - warm!.residentMb).toBeLessThan(residentGrowthMb)
  })

  it('serves as before', async () => {
    const { status, json } = await server.call('POST', '/v1/chat/completions', chat('well?'))
    expect([status, json.choices[0].message.content]).toEqual([200, 'echo: well?'])
    expect(server.process.hasExited()).toBe(false)
  })

  it('logged no fault of its own, and nothing that is secret', () => {
    const { lines, output } = server.process
    expect(lines.length).toBeGreaterThan(requestCount / 4)
    // That a provider was paused is for its operator to know.
    const own = lines.filter(({ level, provider }) => Number(level) >= 40 && provider !== unusedProvider)
    expect(own).toEqual([])
    expect(marks.filter(mark => output.includes(mark))).toEqual([])
  })
})
