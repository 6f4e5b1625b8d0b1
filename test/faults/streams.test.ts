import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Child } from '../../harness/child.ts'
import { type OwnRedis, ownRedis } from '../support/redis.ts'
import { type Client, createClient } from './client.ts'
import { openRig, type Rig } from './rig.ts'
import {
  expectWhole,
  follow,
  plainText,
  readChat,
  type StreamClient,
  stream,
  wholeEvents,
} from './stream-client.ts'

/** Streams of two seconds. */
const usual = { stream: { tokens: 100, tokenGapMs: 20 } }

let server: OwnRedis
let rig: Rig
let other: Child & { readonly url: string }
let client: Client
let calls: () => number

beforeAll(async () => {
  server = await ownRedis()
  // No lease runs out while Redis is away, however busy the machine is: a stream whose lease ended is rightly broken off.
  rig = await openRig({
    redisUrl: server.url,
    config: { jobs: { lease: '10s' }, stream: { grace: '200ms' } },
  })
  ;[other] = await Promise.all([rig.site.api(), rig.site.worker('first')])
  client = createClient(() => other.url)
})
beforeEach(() => {
  rig.first.script(usual)
  const before = rig.first.calls.calls
  calls = () => rig.first.calls.calls - before
})
afterAll(async () => {
  await client?.close()
  await rig?.close()
  await server?.stop()
})

const open = (users: readonly string[]): Promise<StreamClient[]> =>
  Promise.all(users.map(user => stream(rig.apiUrl, { user })))

describe('a reader', () => {
  it('that is cut at random, beside others, at either process, loses and doubles nothing', async () => {
    let drawn = 3
    /** Park and Miller's, so that the same cuts can be had again. */
    const random = (below: number): number => {
      drawn = (drawn * 48_271) % 2_147_483_647
      return drawn % below
    }
    const readInParts = async ({ jobId }: StreamClient): Promise<string> => {
      let text = ''
      let lastId: string | undefined
      while (!text.endsWith('data: [DONE]\n\n')) {
        const reader = await follow([rig.apiUrl, other.url][random(2)]!, jobId, lastId)
        await Promise.race([reader.has(1 + random(5_000)), reader.ended])
        reader.cut()
        const part = wholeEvents(reader.text())
        text += part.text
        lastId = part.lastId ?? lastId
      }
      return text
    }
    const whole = await open(['a', 'b', 'c', 'd', 'e'])
    const parts = await Promise.all(whole.map(readInParts))
    for (const [index, reader] of whole.entries()) {
      expect(plainText(parts[index]!)).toBe(plainText(await reader.ended))
      expectWhole(reader.text(), await client.ended(reader.jobId))
    }
    expect(calls()).toBe(whole.length)
  })

  it('that takes nothing for a while gets all of it, and holds up nobody', async () => {
    const tokens = 18_000
    rig.first.script({ stream: { tokens } })
    const slow = await stream(rig.apiUrl, { user: 'slow' })
    slow.pause()
    const quick = await stream(rig.apiUrl, { user: 'quick' })
    await quick.ended
    const job = await client.ended(slow.jobId)
    expect(slow.text().length).toBeLessThan(quick.text().length / 2)
    slow.goOn()
    expectWhole(await slow.ended, job)
    expect(readChat(slow.text()).content).toHaveLength(4 * tokens)
  })
})

describe('Redis that is killed in the middle', () => {
  it('leaves all streams whole when it comes back', async () => {
    const readers = await open(['a', 'b', 'c', 'd', 'e'])
    const followers = await Promise.all(readers.map(({ jobId }) => follow(other.url, jobId)))
    await Promise.all(followers.map(follower => follower.has(1_000)))
    await server.kill()
    await server.restart()
    for (const [index, reader] of readers.entries()) {
      await reader.ended
      expectWhole(reader.text(), await client.ended(reader.jobId))
      expect(plainText(await followers[index]!.ended)).toBe(plainText(reader.text()))
      const again = await follow(other.url, reader.jobId)
      expect(plainText(await again.ended)).toBe(plainText(reader.text()))
    }
    expect(calls()).toBe(readers.length)
  })
})

describe('an API that is killed in the middle', () => {
  it('leaves its readers to go on at another, from the next byte', async () => {
    const headers = { 'idempotency-key': 'api-killed' }
    const asker = await stream(rig.apiUrl, { headers })
    const follower = await follow(rig.apiUrl, asker.jobId)
    await Promise.all([asker.has(2_000), follower.has(2_000)])
    await rig.api.kill()
    const had = wholeEvents(await follower.ended)
    expect(readChat(had.text).isDone).toBe(false)
    const rest = await follow(other.url, asker.jobId, had.lastId)
    const again = await stream(other.url, { headers })
    await Promise.all([rest.ended, again.ended, asker.ended])
    expect(again.jobId).toBe(asker.jobId)
    expect(plainText(had.text + rest.text())).toBe(plainText(again.text()))
    expect(again.text().startsWith(wholeEvents(asker.text()).text)).toBe(true)
    expectWhole(again.text(), await client.ended(asker.jobId))
    expect(calls()).toBe(1)
  })
})
