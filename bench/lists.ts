import type { Redis } from 'ioredis'
import { withTestEnvironment } from '../harness/environment.ts'
import { fixed, median, printTable, whole } from '../harness/figures.ts'
import { until } from '../harness/until.ts'
import type { Claim, JobResult } from '../src/jobs/types.ts'
import { shards } from '../src/redis/keys.ts'
import { type Client, createClient, inLanes } from './support/chat.ts'
import { backup, batonInput, model, provider } from './support/deployment.ts'
import { type Loader, openLoader } from './support/load-queue.ts'
import { jobsOr, roundsOr } from './support/options.ts'
import { startBaton, startSim } from './support/processes.ts'
import { combine, redisUsage } from './support/redis-usage.ts'

const usualJobs = 100_000
const pagesEach = 10
const lanes = 200
const runningJobs = 100
const parkedJobs = 1_000
/** One of so many jobs is a small tenant's. */
const oneIn = 10_000
const smallTenant = 'small'
/** Scripts from so long on are looked for in Redis's log. */
const slowMicros = 500

const succeeded: JobResult = {
  ...{ status: 'succeeded', attempts: [], error: null, refused: false, usage: null, costUsd: null },
  response: { statusCode: 200, body: '{"choices":[]}' },
}

/** What is asked for, and the query that asks for it. */
type Case = readonly [name: string, query: string]

const always: readonly Case[] = [
  ['all of the tenant', ''],
  ['all tenants', 'tenant=*'],
  ['of a route that has none', 'route=no-such'],
  ['of a provider that has none', `provider=${backup}`],
  ['of a small tenant', `tenant=${smallTenant}`],
  ['of a small tenant, of a team', `tenant=${smallTenant}&metadata.team=t1`],
  ['of one customer, metadata indexed', 'metadata.customer=c77'],
  ['of one customer, failed', 'metadata.customer=c77&status=failed'],
  ['of a customer that has none', 'metadata.customer=none'],
  ['of a team that has a half', 'metadata.team=t1'],
  ['of a team that has a half, cancelled', 'metadata.team=t1&status=cancelled'],
  ['metadata that is not indexed', 'metadata.number=77'],
]

const ofLive: readonly Case[] = [
  ['running, behind those that wait', 'status=running'],
  ['running, of another provider', `status=running&provider=${backup}`],
  ['running, of a small tenant', `status=running&tenant=${smallTenant}`],
  ['parked, behind those that wait', 'status=parked'],
  ['queued, or parked', 'status=queued,parked'],
]

const ofEnded: readonly Case[] = [
  ['failed, with none', 'status=failed'],
  ['of an error that none has', 'error_code=refused'],
  ['of a provider, all', `provider=${provider}`],
]

interface Page {
  readonly ms: number
  readonly found: number
  readonly isComplete: boolean
}

const read = async (client: Client, query: string): Promise<Page> => {
  const startedAt = performance.now()
  const page = JSON.parse(await client.get(`/v1/jobs?view=row&limit=50&${query}`))
  return { ms: performance.now() - startedAt, found: page.data.length, isComplete: page.complete ?? true }
}

/** Of the scripts that took long, by the clock, the one that took longest. */
const longestMs = async (redis: Redis): Promise<number> => {
  const log = (await redis.slowlog('GET', 1_000)) as [
    id: number,
    at: number,
    micros: number,
    ...rest: unknown[],
  ][]
  return Math.max(0, ...log.map(entry => entry[2])) / 1e3
}

const measure = async (redis: Redis, client: Client, [name, query]: Case): Promise<string[]> => {
  const before = await redisUsage(redis)
  await redis.slowlog('RESET')
  const pages: Page[] = []
  for (let i = 0; i < roundsOr(pagesEach); i++) pages.push(await read(client, query))
  const { cpuMicros, scriptCalls } = combine(await redisUsage(redis), before, (after, then) => after - then)
  const longest = await longestMs(redis)
  return [
    name,
    `${whole(pages[0]!.found)}${pages.every(page => page.isComplete) ? '' : ' …'}`,
    fixed(median(pages.map(page => page.ms)), 1),
    fixed(Math.min(...pages.map(page => page.ms)), 1),
    fixed(cpuMicros / 1e3 / pages.length, 1),
    whole(scriptCalls / pages.length),
    longest === 0 ? `< ${slowMicros / 1e3}` : fixed(longest, 1),
  ]
}

const submitAll = async ({ load, allRung }: Loader, count: number): Promise<string[]> => {
  const ids = await load(count, i => ({
    metadata: { customer: `c${Math.floor(i / 2)}`, team: `t${i % 2}`, number: String(i) },
    ...(i % oneIn === 77 && { tenant: smallTenant }),
  }))
  await allRung()
  return ids
}

const claimed = async ({ context }: Loader, id: string): Promise<Claim> => {
  const claim = await context.store.claim(id, 0, 0, 'bench')
  if (typeof claim === 'string') throw new Error(`${id} is ${claim}`)
  return claim
}

/** The oldest ones run, or are parked. */
const begin = async (loader: Loader, ids: readonly string[]): Promise<void> => {
  const { store, now } = loader.context
  await inLanes(lanes, runningJobs + parkedJobs, async i => {
    const claim = await claimed(loader, ids[i]!)
    if (i < runningJobs) return
    const stay = { hop: 0, generation: 1, target: claim.target, attemptsSpent: 0, attempts: [] }
    await store.park(claim, stay, now() + 3_600_000)
  })
}

const endAll = (loader: Loader, ids: readonly string[]): Promise<void> =>
  inLanes(lanes, ids.length, async i => {
    const parked = i >= runningJobs && i < runningJobs + parkedJobs
    const { store } = loader.context
    const claim = await store.claim(ids[i]!, 0, parked ? 1 : 0, 'bench')
    if (typeof claim !== 'string') await store.finalise(claim, succeeded)
  })

/** Pages of a list, by what they are asked for, over HTTP from a process of the API. Nobody works on the jobs. */
export const lists = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const { redis } = environment
    const { url: simUrl } = await startSim(environment)
    const { redisUrl, config } = batonInput(environment.redisUrl, simUrl)
    const { providers } = config as { readonly providers: Readonly<Record<string, object>> }
    const input = {
      redisUrl,
      config: {
        ...config,
        providers: { ...providers, [backup]: providers[provider]! },
        models: { [model]: { provider } },
        jobs: { lease: '10m', worker_missing_after: '1h', indexed_metadata: ['customer', 'team'] },
      },
    }
    const loader = await openLoader(input)
    environment.closing(loader.close)
    // Sets of pairs that have been there since before the first job are known to have them all.
    await until(async () => (await redis.exists(...shards.map(loader.context.keys.listed))) === shards.length)
    const ids = await submitAll(loader, jobsOr(usualJobs))
    const api = await startBaton(environment, 'api', input)
    const client = createClient(api.url, 1)
    environment.closing(() => client.close())
    await redis.config('SET', 'slowlog-log-slower-than', String(slowMicros), 'slowlog-max-len', '1000')
    const print = async (title: string, cases: readonly Case[]): Promise<void> => {
      const rows: string[][] = []
      for (const each of cases) rows.push(await measure(redis, client, each))
      printTable([title, 'jobs', 'page ms', 'fastest', 'Redis ms', 'scripts', 'longest ms'], rows)
    }
    await begin(loader, ids)
    await print(`${whole(ids.length)} that wait`, [...always, ...ofLive])
    await endAll(loader, ids)
    await print(`${whole(ids.length)} that have ended`, [...always, ...ofEnded])
  })
