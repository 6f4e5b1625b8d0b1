import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { withTestEnvironment } from '../harness/environment.ts'
import { fixed, printTable, whole } from '../harness/figures.ts'
import { until } from '../harness/until.ts'
import { batchScripts } from '../src/batches/scripts.ts'
import { fileScripts } from '../src/files/scripts.ts'
import { circuitScripts } from '../src/health/circuit-store.ts'
import { jobScripts } from '../src/jobs/scripts.ts'
import type { Claim, JobResult } from '../src/jobs/types.ts'
import { readyScripts } from '../src/queue/ready-list.ts'
import { limitScripts } from '../src/rate-limits/limit-store.ts'
import { deliveryScripts } from '../src/webhooks/scripts.ts'
import { chatLineBytes, createBatchClient, writeRequests } from './support/batches.ts'
import { inLanes } from './support/chat.ts'
import { backup, batonInput, provider } from './support/deployment.ts'
import { openLoader } from './support/load-queue.ts'
import { jobsOr } from './support/options.ts'
import { startBaton, startSim } from './support/processes.ts'

const usualJobs = 100_000
const batchCount = 100
const linesEach = 100
const largeLines = 50_000
const lanes = 200
const letters = 2_000
const receiver = 'http://127.0.0.1:9'
/** Processes of every kind look after jobs all the time. */
const idleMs = 15_000
const patienceMs = 600_000

const succeeded: JobResult = {
  ...{ status: 'succeeded', attempts: [], error: null, refused: false, usage: null, costUsd: null },
  response: { statusCode: 200, body: '{"choices":[]}' },
}

const scripts = [
  ...[batchScripts, fileScripts, circuitScripts, jobScripts, readyScripts, limitScripts, deliveryScripts],
].flatMap(each => Object.values(each))
const names = new Map(
  scripts.map(script => [createHash('sha1').update(script.text()).digest('hex'), script.name]),
)

/** What asks for these figures; and the first run of a script, which is translated then. */
const notOurs = new Set(['slowlog', 'info', 'config', 'eval'])

/** Commands of one name, by the clock, shortest first. A process that takes the core away counts in, so one alone says little. */
interface Kind {
  readonly name: string
  readonly ms: readonly number[]
  /** Nine of ten took no longer. */
  readonly usual: number
}

const kindsOf = async (redis: Redis): Promise<readonly Kind[]> => {
  const log = (await redis.slowlog('GET', -1)) as [number, number, micros: number, args: string[]][]
  const nameOf = ([command = '', first = '']: readonly string[]): string =>
    names.get(first) ?? (/^evalsha/i.test(command) ? first.slice(0, 8) : command.toLowerCase())
  return [...Map.groupBy(log, entry => nameOf(entry[3]))]
    .filter(([name]) => !notOurs.has(name))
    .map(([name, entries]) => ({
      name,
      ms: entries.map(([, , micros]) => micros / 1e3).toSorted((a, b) => a - b),
    }))
    .map(kind => ({ ...kind, usual: kind.ms[Math.floor((kind.ms.length - 1) * 0.9)]! }))
    .toSorted((a, b) => b.usual - a.usual)
}

/** Which command of Redis took longest, by the clock, in what is done to many jobs and batches at once. */
export const longest = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const { redis } = environment
    const { url: simUrl } = await startSim(environment)
    const { redisUrl, config } = batonInput(environment.redisUrl, simUrl, 200)
    const { providers } = config as { readonly providers: Readonly<Record<string, object>> }
    const input = {
      redisUrl,
      config: {
        ...config,
        providers: { ...providers, [backup]: providers[provider]! },
        jobs: { indexed_metadata: ['customer'], worker_missing_after: '1h' },
      },
    }
    const rows: string[][] = []
    const during = async (title: string, work: () => Promise<unknown>): Promise<void> => {
      await redis.slowlog('RESET')
      const startedAt = performance.now()
      await work()
      const seconds = (performance.now() - startedAt) / 1e3
      const kinds = await kindsOf(redis)
      const all = kinds.flatMap(({ ms }) => ms)
      rows.push([
        title,
        fixed(seconds, 1),
        kinds[0]?.name ?? '',
        fixed(kinds[0]?.usual ?? 0, 1),
        fixed(Math.max(0, ...kinds.map(({ ms }) => ms.at(-1)!)), 1),
        `${whole(all.filter(ms => ms > 10).length)} of ${whole(all.length)}`,
      ])
    }

    const loader = await openLoader(input)
    environment.closing(loader.close)
    const { store, deliveries, now } = loader.context
    await redis.config('SET', 'slowlog-log-slower-than', '0', 'slowlog-max-len', '300000')
    const claimed = async (id: string): Promise<Claim> => {
      const claim = await store.claim(id, 0, 0, 'bench')
      if (typeof claim === 'string') throw new Error(`${id} is ${claim}`)
      return claim
    }
    let ids: string[] = []
    const jobs = jobsOr(usualJobs)
    await during('jobs come', async () => {
      ids = await loader.load(jobs, i => ({
        metadata: { customer: `c${Math.floor(i / 2)}`, number: String(i) },
        tenant: `t${i % 7}`,
        ...(i < letters && { webhook: { url: `${receiver}/`, secret: 'x' } }),
      }))
      await loader.allRung()
    })
    await during('and end', () =>
      inLanes(lanes, Math.floor(jobs / 2), async i => {
        await store.finalise(await claimed(ids[i]!), succeeded)
      }),
    )
    const parked = Math.floor(jobs / 5)
    await during('and park', () =>
      inLanes(lanes, parked, async i => {
        const claim = await claimed(ids[jobs - 1 - i]!)
        const stay = { hop: 0, generation: 1, target: claim.target, attemptsSpent: 0, attempts: [] }
        await store.park(claim, stay, now() + 3_600_000)
      }),
    )
    await during('webhooks are given up', () =>
      inLanes(lanes, letters, async i => {
        await deliveries.jobs.takeDelivery(ids[i]!, 0)
        await deliveries.jobs.recordDelivery(ids[i]!, 0, { status: 'dead', reason: 'refused' })
      }),
    )
    const api = await startBaton(environment, 'api', input)
    const get = async (path: string): Promise<string> => (await fetch(`${api.url}${path}`)).text()
    const post = async (path: string, body?: object): Promise<string> => {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`${api.url}${path}`, {
        ...{ method: 'POST', ...(body && { headers, body: JSON.stringify(body) }) },
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
      return text
    }
    for (const query of [
      'tenant=*&metadata.number=1',
      'tenant=t1&status=succeeded',
      'tenant=*&status=running',
    ])
      await during(`list ${query}`, () => get(`/v1/jobs?view=row&limit=50&${query}`))
    for (const query of ['tenant=*', 'tenant=*&status=succeeded', 'tenant=*&metadata.customer=c1'])
      await during(`count ${query}`, () => get(`/v1/jobs/count?${query}`))
    for (const path of [
      ...[
        '/v1/admin/overview',
        '/metrics',
        '/v1/providers',
        `/v1/scaling/${provider}`,
        '/v1/usage?group_by=route',
      ],
      ...['/v1/dead-letters?tenant=*&limit=100', '/v1/admin/webhooks', '/v1/admin/batches'],
    ])
      await during(path, async () => {
        for (let i = 0; i < 3; i++) await get(path)
      })
    await during('pause', () => post(`/v1/providers/${provider}/pause`))
    await during('resume: parked jobs are woken', () => post(`/v1/providers/${provider}/resume`))
    await during('letters are sent again', async () => {
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const step = { receiver, ...(cursor && { cursor }) }
        cursor = (
          JSON.parse(await post('/v1/dead-letters/redeliver', step)) as { next_cursor: string | null }
        ).next_cursor
      }
    })
    await during('nothing happens', () => delay(idleMs))

    await startBaton(environment, 'batches', input)
    const batches = createBatchClient(api.url)
    const small = join(environment.dir, 'small.jsonl')
    await writeRequests(small, linesEach, chatLineBytes)
    const made: string[] = []
    await during(`${batchCount} batches come`, () =>
      inLanes(10, batchCount, async () => {
        made.push((await batches.create(await batches.upload(small))).id)
      }),
    )
    const large = join(environment.dir, 'large.jsonl')
    await writeRequests(large, largeLines, chatLineBytes)
    let id = ''
    await during(`a batch of ${whole(largeLines)} lines comes`, async () => {
      id = (await batches.create(await batches.upload(large))).id
      await until(async () => (await batches.retrieve(id)).status === 'in_progress', patienceMs)
      await delay(idleMs)
    })
    await during('and is looked at', async () => {
      for (const path of ['', '?view=operator']) await get(`/v1/batches/${id}${path}`)
      await get(`/v1/jobs?batch_id=${id}&status=queued&limit=100`)
      await get('/v1/admin/batches?limit=100')
    })
    await during('and is cancelled', async () => {
      await post(`/v1/batches/${id}/cancel`)
      await until(async () => (await batches.retrieve(id)).status === 'cancelled', patienceMs)
    })
    const worker = await startBaton(environment, 'worker', input)
    await during('work', () => delay(idleMs))
    await during('a worker is killed', async () => {
      await worker.kill()
      await delay(idleMs + 5_000)
    })
    await startBaton(environment, 'worker', input)
    await during('another does the rest', () =>
      until(async () => {
        const { waiting } = JSON.parse(await get('/v1/admin/overview')) as { waiting: number }
        return waiting === 0
      }, patienceMs),
    )
    await during('and the batches', async () => {
      for (const each of made) await batches.until(each, ({ status }) => status === 'completed', 100)
    })
    printTable(['', 's', 'the slowest kind', 'p90 ms', 'longest ms', 'over 10 ms'], rows)
  })
