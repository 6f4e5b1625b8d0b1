import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBoard } from '../../examples/bull-board.ts'
import { providerQueue } from '../../src/queue/doorbells.ts'
import { testRedis } from '../support/redis.ts'
import { openQueue, type QueueFixture } from './queue-fixture.ts'
import { ringOf } from './rings.ts'

let q: QueueFixture
let redis: Redis
let board: Awaited<ReturnType<typeof createBoard>>
let url: string
const queue = providerQueue('first')

beforeAll(async () => {
  const at = testRedis()
  q = openQueue(at)
  redis = new Redis(at.url, { maxRetriesPerRequest: null })
  board = await createBoard(redis, at.prefix, [queue])
  url = await board.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await board.close()
  redis.disconnect()
  await q.shut()
})

interface Shown {
  readonly counts: Readonly<Record<string, number>>
  readonly isPaused: boolean
  readonly readOnlyMode: boolean
  readonly jobs: readonly { readonly id: string; readonly data: Record<string, unknown> }[]
}
const shown = async (query: string): Promise<Shown> => {
  const { queues } = (await (await fetch(`${url}/api/queues?${query}`)).json()) as { queues: Shown[] }
  return queues[0]!
}
const active = `activeQueue=${encodeURIComponent('{provider.first}')}&status=waiting`

describe('a bull-board over HTTP', () => {
  it('shows what waits, how much and in which order, and can change nothing', async () => {
    const rings = Array.from({ length: 292 }, (_, i) =>
      ringOf(queue, `job_${i}.0.0`, { tenant: i % 2 ? 'a' : 'b', class: i < 2 ? 'interactive' : 'bulk' }),
    )
    await q.doorbells.ringAll(rings)
    const first = await shown(`${active}&page=1&jobsPerPage=10`)
    expect(first.counts.waiting).toBe(292)
    expect(first.readOnlyMode).toBe(true)
    expect(first.jobs.slice(0, 2).map(({ id }) => id)).toEqual(['job_1.0.0', 'job_0.0.0'])
    expect(first.jobs[0]!.data).toMatchObject({ tenant: 'a', class: 'interactive', tokens: 1 })
    const last = await shown(`${active}&page=30&jobsPerPage=10`)
    expect(last.jobs).toHaveLength(2)
  })

  it('shows a queue that was paused by a tool for BullMQ', async () => {
    expect((await shown(active)).isPaused).toBe(false)
    await q.queueOf('first').pause()
    expect((await shown(active)).isPaused).toBe(true)
    const ask = { chunk: 'c', most: 5, worker: 'w', free: 5, claimed: [] }
    expect((await q.doorbells.take(queue, ask)).doorbells).toEqual([])
  })
})
