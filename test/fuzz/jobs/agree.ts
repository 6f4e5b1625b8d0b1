import { expect } from 'vitest'
import {
  deadlineEntry,
  deliveryEntry,
  jobDoorbell,
  leaseEntry,
  webhookDoorbell,
} from '../../../src/jobs/doorbell.ts'
import { pairHash } from '../../../src/jobs/list-entry.ts'
import { formatTarget } from '../../../src/jobs/record.ts'
import { answeredBy } from '../../../src/jobs/view.ts'
import { providerQueue, webhookQueue } from '../../../src/queue/doorbells.ts'
import { blockOf, shardOf, ulidOf } from '../../../src/redis/keys.ts'
import { isOver, type Model, type ModelJob } from './model.ts'
import { deadLetterRetentionMs, queues, type Rig, retentionMs, shards } from './rig.ts'

/** What Redis holds of all jobs, read in one turn. */
interface Observed {
  readonly schedule: ReadonlySet<string>
  readonly ringing: ReadonlyMap<string, ReadonlySet<string>>
  readonly dead: ReadonlySet<string>
  /** How many jobs of a shard and block live, as Redis counts. */
  readonly live: Readonly<Record<string, number>>
  /** In which lists each job stands, and how. */
  readonly lists: Readonly<Record<string, readonly string[]>>
  readonly pairs: readonly string[]
}

const listStates = ['open', 'succeeded', 'failed', 'cancelled', 'expired'] as const

const listed = async (
  { redis, keys }: Pick<Rig, 'redis' | 'keys'>,
  shard: number,
  state: (typeof listStates)[number],
) =>
  (await redis.zrange(keys.list(shard, state), '0', '-1')).map(
    entry => [`job_${entry.slice(0, 26)}`, `${state}${entry.slice(26)}`] as const,
  )

const observe = async ({ redis, keys, ...rig }: Rig): Promise<Observed> => {
  const [schedules, dead, live, rings, inLists, pairs] = await Promise.all([
    Promise.all(shards.map(shard => redis.zrange(keys.schedule(shard), '0', '-1'))),
    Promise.all(shards.map(shard => redis.zrange(keys.deadLetters(shard, 'jobs'), '0', '-1'))),
    Promise.all(shards.map(async shard => [shard, await redis.hgetall(keys.live(shard))] as const)),
    Promise.all(queues.map(async queue => [queue, await rig.ringing(queue)] as const)),
    Promise.all(shards.flatMap(shard => listStates.map(state => listed({ redis, keys }, shard, state)))),
    Promise.all(shards.map(shard => redis.zrange(keys.pairs(shard), '0', '-1'))),
  ])
  return {
    schedule: new Set(schedules.flat()),
    dead: new Set(dead.flat().map(name => name.slice(name.indexOf(':') + 1))),
    live: Object.fromEntries(
      live.flatMap(([shard, counts]) =>
        Object.entries(counts).map(([block, count]) => [`${shard} ${block}`, Number(count)]),
      ),
    ),
    ringing: new Map(rings),
    pairs: pairs.flat(),
    lists: inLists.flat().reduce<Record<string, string[]>>((all, [id, state]) => {
      all[id] = [...(all[id] ?? []), state]
      return all
    }, {}),
  }
}

/** The record says what the model says. */
const sameRecord = async ({ store, redis, keys }: Rig, job: ModelJob): Promise<void> => {
  const [record, [spent, run]] = await Promise.all([
    store.read(job.id),
    redis.hmget(keys.record(job.id), 'spent', 'holder'),
  ])
  const isRunning = job.state === 'running'
  const { delivery } = record!
  expect({
    status: record!.status,
    hop: record!.hop,
    generation: record!.generation,
    provider: record!.target.provider,
    run: isRunning ? run : null,
    resumesAtMs: record!.resumesAtMs,
    spent: Number(spent ?? 0),
    calls: record!.attempts.length,
    end: record!.finishedAtMs,
    body: record!.response?.body ?? null,
    code: record!.error?.code ?? null,
    delivery: isOver(job) && delivery ? [delivery.status, delivery.attempts, record!.deliveriesBefore] : null,
  }).toEqual({
    status: job.state,
    hop: job.hop,
    generation: job.generation,
    provider: job.provider,
    run: isRunning ? `${job.calledAtMs} ${job.holder}` : null,
    resumesAtMs: job.state === 'parked' ? job.resumesAtMs : null,
    spent: job.spent,
    calls: job.calls,
    end: job.end?.atMs ?? null,
    body: job.end?.body ?? null,
    code: job.end?.code ?? null,
    delivery: job.delivery && [job.delivery.status, job.delivery.attempts, job.delivery.before],
  })
}

type Stay = 'gone' | 'for ever' | 'retention' | 'dead letter'

const stayOf = (ttlMs: number): Stay => {
  if (ttlMs === -2) return 'gone'
  if (ttlMs === -1) return 'for ever'
  expect(ttlMs).toBeLessThanOrEqual(deadLetterRetentionMs)
  return ttlMs <= retentionMs ? 'retention' : 'dead letter'
}

/** Nothing of a live job goes by itself, and all of one that has ended does. */
const sameStay = async ({ redis, keys }: Rig, job: ModelJob, observing: Promise<Observed>): Promise<void> => {
  const [record, payload] = await Promise.all(
    [keys.record(job.id), keys.payload(job.id)].map(async key => stayOf(await redis.pttl(key))),
  )
  const { dead } = await observing
  const owesWebhook = job.delivery?.status === 'pending'
  const isDead = job.delivery?.status === 'dead'
  expect({ record, payload, isDead: dead.has(job.id) }).toEqual({
    record: !isOver(job) || owesWebhook ? 'for ever' : isDead ? 'dead letter' : 'retention',
    payload: !job.isLong || job.state === 'succeeded' ? 'gone' : isOver(job) ? 'retention' : 'for ever',
    isDead,
  })
}

/** Whoever dies now: a live job, and a webhook that is owed, are found again. */
const hasWaker = (job: ModelJob, { schedule, ringing }: Observed): void => {
  const { id, hop, generation, provider, delivery } = job
  const isOwed = (name: string, queue: string): boolean => schedule.has(name) || ringing.get(queue)!.has(name)
  if (job.isAdrift) return
  if (delivery?.status === 'pending') {
    const { attempts } = delivery
    const isTaken = schedule.has(deliveryEntry(id, attempts))
    expect(isTaken || isOwed(webhookDoorbell(id, attempts), webhookQueue), `${id} owes its webhook`).toBe(
      true,
    )
  }
  if (isOver(job)) {
    expect(schedule.has(leaseEntry(id)), `the lease of ${id}, which is over`).toBe(false)
    return
  }
  if (job.hasTimer) expect(schedule.has(deadlineEntry(id)), `${id} has a deadline`).toBe(true)
  expect(schedule.has(leaseEntry(id)), `the lease of ${id}, which is ${job.state}`).toBe(
    job.state === 'running',
  )
  if (job.state !== 'running') {
    expect(
      isOwed(jobDoorbell(id, hop, generation), providerQueue(provider)),
      `${id} is owed its doorbell`,
    ).toBe(true)
  }
}

/** The reconciler looks only where something lives: a count too low hides a job from it, one too high costs walks for ever. */
const sameLives = (model: Model, { live }: Observed): void => {
  const living = model.all().filter(job => !isOver(job) || job.delivery?.status === 'pending')
  const counts = Object.groupBy(living, ({ id }) => `${shardOf(id)} ${blockOf(id)}`)
  expect(live).toEqual(Object.fromEntries(Object.entries(counts).map(([at, jobs]) => [at, jobs!.length])))
}

/** Each job stands in the list of its state, and in no other, with what filters ask for, and in the set of pairs by its metadata. */
const sameLists = async ({ store, index }: Rig, model: Model, { lists, pairs }: Observed): Promise<void> => {
  const stands = model.all().map(async job => {
    const record = (await store.read(job.id))!
    const why = job.end?.code ?? (job.state === 'parked' ? 'parked' : '')
    const lines = [isOver(job) ? job.state : 'open', '', record.model, formatTarget(answeredBy(record)), why]
    const indexed = index.linesOf(record.metadata)
    const members = indexed.match(/^".*$/gm)?.map(line => pairHash(line) + ulidOf(job.id)) ?? []
    return { entry: [job.id, [`${lines.join('\n')}\n${indexed}`]] as const, members }
  })
  const all = await Promise.all(stands)
  expect(lists).toEqual(Object.fromEntries(all.map(({ entry }) => entry)))
  expect(pairs.toSorted()).toEqual(all.flatMap(({ members }) => members).toSorted())
}

/** Holds Redis against the model, and both against what is promised. */
export const agree = async (rig: Rig, model: Model): Promise<void> => {
  const observing = observe(rig)
  await Promise.all(
    model.all().map(async job => {
      await Promise.all([sameRecord(rig, job), sameStay(rig, job, observing)])
      hasWaker(job, await observing)
    }),
  )
  sameLives(model, await observing)
  await sameLists(rig, model, await observing)
}
