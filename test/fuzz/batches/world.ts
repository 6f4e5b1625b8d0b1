import type fc from 'fast-check'
import { expect } from 'vitest'
import type { FinishedLine } from '../../../src/batches/finished-line.ts'
import { jobDoorbell } from '../../../src/jobs/doorbell.ts'
import type { Claim } from '../../../src/jobs/types.ts'
import { batchJobId, shardOf } from '../../../src/redis/keys.ts'
import type { openBatches } from '../../batches/store/batch-fixture.ts'
import { countsOf, hasEnded, lineBytes, type ModelBatch, newModelBatch, type Outcome } from './model.ts'

/** A feeder that took the batch once, with what it remembers; whether it still has it, it does not know. */
export interface Feeder {
  readonly token: string
  fed: number
  /** Lines that it has written to a segment and not yet collected. */
  written: Written | null
}

export interface Written {
  readonly name: string
  readonly lines: readonly FinishedLine[]
}

export type Fixture = ReturnType<typeof openBatches>

export interface World {
  readonly fixture: Fixture
  readonly batch: ModelBatch
  readonly id: string
  readonly hasWebhook: boolean
  readonly feeders: Feeder[]
  /** Jobs in the hands of workers, some of whom lost them. */
  readonly claims: Claim[]
  /** Every segment ever written, collected or not, by its key. */
  readonly segments: Map<string, readonly number[]>
  names: number
}

export const openWorld = async (fixture: Fixture, total: number, hasWebhook: boolean): Promise<World> => {
  const { batches, newBatch, file } = fixture
  const inputFileId = await file()
  const made = newBatch({
    inputFileId,
    total,
    webhook: hasWebhook ? { url: 'https://hooks.example/x' } : null,
  })
  await batches.create(made)
  const batch = newModelBatch(total)
  return { fixture, batch, id: made.id, hasWebhook, feeders: [], claims: [], segments: new Map(), names: 0 }
}

/** How a line's end, as it is read for the files, is counted. */
export const outcomeOf = (line: FinishedLine): Outcome => {
  if (line.kind === 'skipped') {
    return line.reason === 'rejected' ? 'errored' : line.reason === 'cancelled' ? 'canceled' : 'expired'
  }
  const { status } = line
  return status === 'failed' ? 'errored' : status === 'cancelled' ? 'canceled' : status
}

/** Numbers of the lines in the files, as the lists of segments have it. */
export const linesInFiles = async ({ fixture, id, segments }: World): Promise<number[]> => {
  const { redis, keys, record } = fixture
  const { outputFileId, errorFileId } = await record(id)
  const lists = await Promise.all([outputFileId, errorFileId].map(f => redis.lrange(keys.segments(f), 0, -1)))
  return lists.flat().flatMap(text => segments.get(text.split(' ')[0]!)!)
}

const agree = async (world: World): Promise<void> => {
  const { fixture, batch, id } = world
  const { redis, keys, record, work, clock } = fixture
  const [is, done, jobs, due, inFiles, run, owed] = await Promise.all([
    record(id),
    redis.lrange(keys.finishedLines(id), 0, -1),
    Promise.all(
      [...batch.jobs.keys()].map(async number => redis.exists(keys.record(batchJobId(id, number)))),
    ),
    work.due(100),
    linesInFiles(world),
    redis.hmget(keys.batch(id), 'lease', 'lease_until'),
    redis.zrange(keys.schedule(shardOf(id)), '0', '-1'),
  ])
  const open = [...batch.jobs].filter(([, end]) => end === null)
  const counts = countsOf(batch.collected.values())
  expect({
    status: is.status,
    fed: is.cursor.fed,
    counts: is.counts,
    openBytes: is.cursor.openBytes,
    done: done.map(entry => (entry[0] === '!' ? JSON.parse(entry.slice(1))[0] : entry)),
    lease: run,
    isListed: due.includes(id),
  }).toEqual({
    status: batch.status,
    fed: batch.fed,
    counts,
    openBytes: batch.jobs.size * lineBytes,
    done: batch.done.map(({ number, isJob }) => (isJob ? batchJobId(id, number) : number)),
    lease: batch.lease ? [batch.lease.token, String(batch.lease.untilMs)] : [null, null],
    // Whoever dies now, somebody takes it up.
    isListed: !hasEnded(batch) && (batch.lease?.untilMs ?? 0) <= clock.nowMs,
  })
  // What is in the files is what is counted, each line once; what is not, is still there.
  expect(inFiles.toSorted((a, b) => a - b)).toEqual([...batch.collected.keys()].toSorted((a, b) => a - b))
  expect(is.collected).toBe(inFiles.length)
  expect(jobs.every(there => there === 1)).toBe(true)
  // Nobody rings here.
  const doorbells = open.map(([number]) => jobDoorbell(batchJobId(id, number), 0, 0))
  expect(owed).toEqual(expect.arrayContaining(doorbells))
  for (let number = 1; number <= is.cursor.lowWatermark; number++) expect(batch.jobs.has(number)).toBe(false)
}

/** After its end nothing of its lines is left in Redis but the lists of its files. */
export const nothingLeft = async ({ fixture, id, batch, hasWebhook }: World): Promise<void> => {
  const { redis, keys } = fixture
  const shard = shardOf(id)
  for (let number = 1; number <= batch.total; number++) {
    const job = batchJobId(id, number)
    expect(await redis.exists(keys.record(job), keys.payload(job))).toBe(0)
  }
  expect(await redis.exists(keys.finishedLines(id))).toBe(0)
  expect(await redis.zscore(keys.openBatches(shard), id)).toBeNull()
  const owed = await redis.zrange(keys.schedule(shard), '0', '-1')
  const stem = id.slice(id.indexOf('_') + 1, -6)
  expect(owed.filter(entry => entry.includes(stem))).toEqual(hasWebhook ? [`${id}.w.0`] : [])
  expect((await redis.pttl(keys.batch(id))) > 0).toBe(!hasWebhook)
}

export type Step = fc.AsyncCommand<World, World>

/** Something that happens to the one that `pick` names; afterwards Redis and the model must agree. */
export const step = <Who>(
  name: string,
  pick: number,
  among: (world: World) => readonly Who[],
  act: (world: World, who: Who) => Promise<void>,
): Step => ({
  check: world => among(world).length > 0,
  run: async (_, world) => {
    const all = among(world)
    await act(world, all[pick % all.length]!)
    await agree(world)
  },
  toString: () => `${name} #${pick}`,
})

/** Makes the call, twice where its reply was lost, and holds the replies against the model's. */
export const compare = async <Reply>(
  what: string,
  times: number,
  expected: () => Reply,
  act: () => Promise<Reply>,
): Promise<Reply> => {
  let reply: Reply | undefined
  for (let i = 0; i < times; i++) {
    const should = expected()
    reply = await act()
    expect(reply, what).toEqual(should)
  }
  return reply!
}
