import type { Child } from '../harness/child.ts'
import { type TestEnvironment, withTestEnvironment } from '../harness/environment.ts'
import { fixed, median, printTable, whole } from '../harness/figures.ts'
import type { SimulatedProvider } from '../harness/simulated-provider.ts'
import { until } from '../harness/until.ts'
import { providerQueue } from '../src/queue/doorbells.ts'
import type { FloorApiInput } from './processes/floor-api.ts'
import type { FloorWorkerInput } from './processes/floor-worker.ts'
import { chatLineBytes, createBatchClient, writeRequests } from './support/batches.ts'
import { chatPath, chatText, createClient, inLanes, jobPath, jobText } from './support/chat.ts'
import { type Contender, measure, middle, ratioOf, type Speed, takeTurns } from './support/compare.ts'
import { backup, provider } from './support/deployment.ts'
import { gatewayHeaders, startGateway } from './support/gateway.ts'
import { jobsOr, roundsOr } from './support/options.ts'
import { startBaton, startFloor, startSim } from './support/processes.ts'
import { allSettled, compactFile, hasSucceeded, openJobs, placeOf } from './support/queue-state.ts'
import { relayInput } from './support/relay.ts'

const usualRequests = 3_000
const usualRounds = 3
/** How often a batch is looked at: a user's script would look less often. */
const lookEveryMs = 50
const floorQueue = 'floor'
/** Requests under way at a time: the client's connections, and the calls that a worker of Baton's makes at once. */
const concurrency = 100
const queues = [provider, backup].map(name => placeOf(providerQueue(name)))

const names = ['gateway', 'floor', 'door', 'express', 'jobs', 'jobs read', 'batch'] as const
type Name = (typeof names)[number]

const called: Record<Name, string> = {
  gateway: 'gateway',
  floor: 'a bare route and a bare BullMQ worker',
  door: 'baton, POST /v1/chat/completions',
  express: 'baton, the same, all in one process',
  jobs: 'baton, POST /v1/jobs, until all are done',
  'jobs read': 'baton, the same, and each result read',
  batch: 'baton, a batch, from upload to output read',
}

/** Over all rounds of one contender. */
interface Tally {
  requests: number
  errors: number
  first: number
  second: number
}

const fresh = (): Tally => ({ requests: 0, errors: 0, first: 0, second: 0 })

interface Parties {
  readonly environment: TestEnvironment
  readonly sims: readonly [first: SimulatedProvider, second: SimulatedProvider]
  readonly tallies: Record<Name, Tally>
}

interface Team {
  readonly children: readonly Child[]
  readonly redis?: number
}

type Count = () => number | Promise<number>

/**
 * Resolves when the requests are done, with a count of good answers that is made outside the measured time.
 */
type Work = (count: number) => Promise<Count>

const contender = (
  { environment, sims, tallies }: Parties,
  name: Name,
  team: Team,
  work: Work,
): Contender => {
  const calls = () => Promise.all(sims.map(sim => sim.calls()))
  let before: number[] = []
  let good: Count = () => 0
  let asked = 0
  return {
    pids: { process: team.children.map(child => child.pid), redis: team.redis },
    prepare: async count => {
      asked = count
      await compactFile(environment.redis)
      before = await calls()
      for (const child of team.children) child.thaw()
    },
    work: async count => {
      good = await work(count)
    },
    rest: async () => {
      const succeeded = await good()
      if (team.redis !== undefined) await until(() => allSettled(environment.redis, queues))
      for (const child of team.children) child.freeze()
      const after = await calls()
      const tally = tallies[name]
      tally.requests += asked
      tally.errors += asked - succeeded
      tally.first += after[0]! - before[0]!
      tally.second += after[1]! - before[1]!
    },
  }
}

/** Posts requests that wait for their answers. */
const posting = (
  environment: TestEnvironment,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Work => {
  const client = createClient(url, concurrency, headers)
  environment.closing(() => client.close())
  return async count => {
    let good = 0
    await inLanes(concurrency, count, () =>
      client.post(chatPath, chatText, 200).then(
        () => void good++,
        () => undefined,
      ),
    )
    return () => good
  }
}

/** Posts jobs to a route that only puts them into a queue, and waits until its worker has called for the last of them. */
const queueing = (environment: TestEnvironment, url: string): Work => {
  const client = createClient(url, concurrency)
  environment.closing(() => client.close())
  return async count => {
    await client.postMany(count, jobPath, jobText, 202)
    await until(async () => (await openJobs(environment.redis, `bull:${floorQueue}`)) === 0)
    return () => count
  }
}

/** Posts jobs and then waits for the last of them; `reads`: fetches each result besides. */
const submitting = (environment: TestEnvironment, url: string, reads: boolean): Work => {
  const client = createClient(url, concurrency)
  environment.closing(() => client.close())
  const idOf = (text: string): string => (JSON.parse(text) as { id: string }).id
  return async count => {
    const ids: string[] = []
    await inLanes(concurrency, count, async () => {
      ids.push(idOf(await client.post(jobPath, jobText, 202)))
    })
    if (!reads) {
      await until(() => allSettled(environment.redis, queues))
      return async () =>
        (await Promise.all(ids.map(id => hasSucceeded(environment.redis, id)))).filter(Boolean).length
    }
    let good = 0
    await inLanes(concurrency, count, async i => {
      const text = await client.get(`${jobPath}/${ids[i]}`, { prefer: 'wait=60' })
      if ((JSON.parse(text) as { status: string }).status === 'succeeded') good++
    })
    return () => good
  }
}

/** One file from its upload until its output was read. */
const batching = (url: string, path: string): Work => {
  const client = createBatchClient(url)
  return async () => {
    const { id } = await client.create(await client.upload(path))
    const batch = await client.until(id, ({ status }) => status === 'completed', lookEveryMs)
    const answers = await client.countAnswers(batch.output_file_id!)
    return () => answers
  }
}

const openContenders = async (parties: Parties, count: number): Promise<Record<Name, Contender>> => {
  const { environment, sims } = parties
  const simUrls = [sims[0].url, sims[1].url] as const
  const path = `${environment.dir}/requests.jsonl`
  await writeRequests(path, count, chatLineBytes)
  const gateway = await startGateway(environment)

  const input = relayInput(environment.redisUrl, ...simUrls, concurrency)
  const own = { ...input, config: { ...input.config, storage: { path: `${environment.dir}/blobs` } } }
  const api = await startBaton(environment, 'api', own)
  const workers = await Promise.all(
    [provider, backup].map(worksOn => startBaton(environment, 'worker', { ...own, worksOn })),
  )
  const feeder = await startBaton(environment, 'batches', own)
  const team: Team = { children: [api, ...workers, feeder], redis: environment.redisPid }
  const { redisUrl } = environment
  const floorApi = await startFloor(environment, 'api', {
    redisUrl,
    queue: floorQueue,
  } satisfies FloorApiInput)
  const floorInput: FloorWorkerInput = { redisUrl, queue: floorQueue, simUrl: simUrls[0], concurrency }
  const floor: Team = {
    children: [floorApi, await startFloor(environment, 'worker', floorInput)],
    redis: environment.redisPid,
  }
  const apart = { ...input, config: { ...input.config, redis: { prefix: 'express' } } }
  const express = await startBaton(environment, 'all', apart)
  for (const child of [gateway, express, ...floor.children, ...team.children]) child.freeze()

  const url = api.url
  return {
    gateway: contender(
      parties,
      'gateway',
      { children: [gateway] },
      posting(environment, gateway.url, gatewayHeaders(...simUrls)),
    ),
    floor: contender(parties, 'floor', floor, queueing(environment, floorApi.url)),
    door: contender(parties, 'door', team, posting(environment, url)),
    express: contender(
      parties,
      'express',
      { children: [express], redis: environment.redisPid },
      posting(environment, express.url),
    ),
    jobs: contender(parties, 'jobs', team, submitting(environment, url, false)),
    'jobs read': contender(parties, 'jobs read', team, submitting(environment, url, true)),
    batch: contender(parties, 'batch', team, batching(url, path)),
  }
}

const print = (
  title: string,
  shown: readonly Name[],
  speeds: Readonly<Partial<Record<Name, readonly Speed[]>>> & { readonly gateway: readonly Speed[] },
  tallies: Readonly<Record<Name, Tally>>,
): void => {
  const micros = (speed: Speed): number => speed.processMicros + speed.redisMicros
  const rows = shown.map(name => {
    const own = speeds[name]!
    const gain = median(own.map((speed, round) => micros(speeds.gateway[round]!) / micros(speed)))
    const { requests, errors, first, second } = tallies[name]
    return [
      called[name],
      whole(middle(own, 'perSecond')),
      fixed(ratioOf(own, speeds.gateway), 2),
      whole(median(own.map(micros))),
      fixed(gain, 2),
      fixed(first / requests, 2),
      fixed(second / requests, 2),
      whole(errors),
    ]
  })
  printTable(
    [title, 'requests/s', 'ratio', 'processor µs each', 'ratio', 'calls each, first', 'second', 'errors'],
    rows,
  )
}

/** The same requests through Portkey's gateway and through Baton, while the first provider answers and while it does not. */
export const gatewayRace = (): Promise<void> =>
  withTestEnvironment(async environment => {
    const [first, second] = await Promise.all([startSim(environment), startSim(environment)])
    const tallies = Object.fromEntries(names.map(name => [name, fresh()])) as Record<Name, Tally>
    const count = jobsOr(usualRequests)
    const parties: Parties = { environment, sims: [first, second], tallies }
    const contenders = await openContenders(parties, count)
    for (const name of names) await measure(contenders[name], name === 'batch' ? count : Math.ceil(count / 5))

    const race = async (title: string, racing: Partial<typeof contenders>): Promise<void> => {
      for (const name of names) Object.assign(tallies[name], fresh())
      const shown = names.filter(name => Object.hasOwn(racing, name))
      const speeds = await takeTurns(racing as typeof contenders, () => count, roundsOr(usualRounds))
      print(title, shown, speeds, tallies)
    }
    await race('the first provider answers', contenders)
    console.log()
    await first.behave({ fault: { kind: 'throttle' } })
    // A bare worker has no second provider.
    const { floor: _, ...others } = contenders
    await race('the first provider answers 429', others)
  })
