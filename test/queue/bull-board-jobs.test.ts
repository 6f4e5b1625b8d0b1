import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBoard } from '../../examples/bull-board.ts'
import { createBoardReads } from '../../examples/bull-board-reads.ts'
import { createSimProvider } from '../../src/sim/sim-provider.ts'
import { type BatonApi, openBaton } from '../support/open-baton.ts'
import { testRedis } from '../support/redis.ts'

const sim = createSimProvider()
const operator = { authorization: 'Bearer boss' }
let baton: BatonApi
let redis: Redis
let board: Awaited<ReturnType<typeof createBoard>>
let url: string

beforeAll(async () => {
  await sim.start()
  const at = testRedis()
  const provider = { type: 'openai', base_url: `${sim.url}/v1`, api_key: 'k' }
  baton = await openBaton({
    level: 'api',
    prefix: at.prefix,
    graceMs: 0,
    workers: ['served', 'away'],
    config: {
      api_keys: [
        { key: 'boss', role: 'operator', tenant: 'ops' },
        { key: 'k', role: 'submit', tenant: 't' },
      ],
      providers: { served: provider, away: provider, idle: provider },
      models: {
        ok: { provider: 'served' },
        hang: { provider: 'served' },
        'bad-request': { provider: 'served' },
        parked: { provider: 'away' },
        waiting: { provider: 'idle' },
      },
    },
  })
  redis = new Redis(at.url, { maxRetriesPerRequest: null })
  board = await createBoard(
    redis,
    at.prefix,
    ['provider.served', 'provider.away', 'provider.idle', 'webhooks'],
    createBoardReads(baton.url, 'boss'),
  )
  url = await board.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await board.close()
  redis.disconnect()
  await baton.stop()
  await sim.stop()
})

interface Job {
  readonly id: string
  readonly name: string
  readonly timestamp: number
  readonly attempts: number
  readonly failedReason: string
  readonly data: Readonly<Record<string, unknown>>
}
interface Shown {
  readonly name: string
  readonly displayName: string
  readonly counts: Readonly<Record<string, number>>
  readonly isPaused: boolean
  readonly hasWorkers: boolean
  readonly jobs: readonly Job[]
}
const get = async <T>(from: string, path: string, headers: Record<string, string> = {}): Promise<T> =>
  (await (await fetch(`${from}${path}`, { headers })).json()) as T
const queues = async (query = ''): Promise<ReadonlyMap<string, Shown>> => {
  const { queues } = await get<{ queues: readonly Shown[] }>(url, `/api/queues?${query}`)
  return new Map(queues.map(queue => [queue.displayName, queue]))
}
const nameOf = (provider: string) => encodeURIComponent(`{provider.${provider}}`)
const jobsOf = async (provider: string, status: string) =>
  (await queues(`activeQueue=${nameOf(provider)}&status=${status}&page=1&jobsPerPage=10`)).get(
    `provider.${provider}`,
  )!.jobs
const counts = async () =>
  Object.fromEntries([...(await queues())].map(([name, shown]) => [name, shown.counts]))

const submit = async (model: string): Promise<string> => {
  const answer = await fetch(`${baton.url}/v1/jobs`, {
    method: 'POST',
    headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
    body: JSON.stringify({ body: { model, messages: [{ role: 'user', content: 'a secret prompt' }] } }),
  })
  return ((await answer.json()) as { id: string }).id
}
const patience = { timeout: 30_000, interval: 100 }
const none = { active: 0, waiting: 0, delayed: 0, completed: 0, failed: 0 }

describe('a bull-board that asks the API', () => {
  it('counts what operators are told, and shows each job with what became of it', async () => {
    await fetch(`${baton.url}/v1/providers/away/pause`, { method: 'POST', headers: operator })
    const ids = {
      ok: [await submit('ok'), await submit('ok')],
      failed: await submit('bad-request'),
      hangs: await submit('hang'),
      parked: await submit('parked'),
      waits: [await submit('waiting'), await submit('waiting')],
    }
    await expect.poll(counts, patience).toMatchObject({
      'provider.served': { ...none, active: 1, completed: 2, failed: 1 },
      'provider.away': { ...none, delayed: 1 },
      'provider.idle': { ...none, waiting: 2 },
      webhooks: { waiting: 0 },
    })
    const overview = await get<{
      readonly waiting: number
      readonly parked: number
      readonly running: number
      readonly providers: Readonly<Record<string, { waiting: number; running: number }>>
    }>(baton.url, '/v1/admin/overview', operator)
    expect(overview).toMatchObject({ waiting: 2, parked: 1, running: 1 })
    expect(overview.providers).toMatchObject({
      served: { waiting: 0, running: 1 },
      idle: { waiting: 2, running: 0 },
    })

    const shown = await queues()
    expect(shown.get('provider.away')).toMatchObject({ isPaused: true })
    expect(shown.get('provider.served')).toMatchObject({ isPaused: false, hasWorkers: true })
    expect(shown.get('provider.idle')).toMatchObject({ isPaused: false, hasWorkers: false })
    const idsOf = async (provider: string, status: string) =>
      (await jobsOf(provider, status)).map(({ id }) => id)
    expect((await idsOf('served', 'completed')).toSorted()).toEqual(ids.ok.toSorted())
    expect(await idsOf('served', 'active')).toEqual([ids.hangs])
    expect(await idsOf('away', 'delayed')).toEqual([ids.parked])
    expect(await idsOf('idle', 'waiting')).toEqual(ids.waits.map(id => `${id}.0.0`))
    expect(await idsOf('served', 'latest')).toHaveLength(4)
  })

  it('shows a failed job, its calls and the sentences that explain it, and none of its content', async () => {
    const [job] = await jobsOf('served', 'failed')
    expect(job).toMatchObject({ name: 'bad-request', attempts: 1, failedReason: 'upstream_rejected' })
    const path = `/api/queues/${nameOf('served')}/${job!.id}`
    const whole = await get<{ job: Job; status: string }>(url, path)
    expect(whole).toMatchObject({
      status: 'failed',
      job: {
        id: job!.id,
        failedReason: expect.stringMatching(/^upstream_rejected: /),
        data: { tenant: 't' },
      },
    })
    expect(whole.job.data.attempts).toMatchObject([{ provider: 'served', status_code: 400 }])
    const logs = await get<string[]>(url, `${path}/logs`)
    expect(logs.join('\n')).toMatch(/accepted for bad-request[\s\S]*served\/bad-request/)
    expect(JSON.stringify([whole, logs])).not.toContain('a secret prompt')
  })

  it('takes a waiting job by its doorbell, and says how old it is', async () => {
    const [waiting] = await jobsOf('idle', 'waiting')
    const { job, status } = await get<{ job: Job; status: string }>(
      url,
      `/api/queues/${nameOf('idle')}/${waiting!.id}`,
    )
    expect([`${job.id}.0.0`, status]).toEqual([waiting!.id, 'waiting'])
    expect(Math.abs(waiting!.timestamp - job.timestamp)).toBeLessThan(1_000)
  })

  it.each([
    ['PUT', 'retry/failed'],
    ['PUT', 'clean/completed'],
    ['PUT', 'empty'],
    ['PUT', 'pause'],
  ])('refuses to act: %s %s', async (method, action) => {
    const answer = await fetch(`${url}/api/queues/${nameOf('served')}/${action}`, { method })
    expect(answer.status).toBe(405)
  })
})
