import fc from 'fast-check'
import { formatSkipped, type SkipReason } from '../../../src/batches/finished-line.ts'
import { batchJobId, lineNumberOf } from '../../../src/redis/keys.ts'
import { answer, failure } from '../../jobs/store-fixture.ts'
import * as model from './model.ts'
import { compare, type Feeder, outcomeOf, type Step, step, type World } from './world.ts'

const leaseMs = 5_000
const pick = fc.nat(7)
/** A lost reply makes the client library send a command again. */
const times = fc.constantFrom(1, 1, 2)

export const takeBatch = async (world: World, sent = 1): Promise<Feeder | null> => {
  const { fixture, batch, id } = world
  const { work, clock, record } = fixture
  const token = `feeder-${world.names++}`
  const untilMs = clock.nowMs + leaseMs
  const took = await compare(
    'take',
    sent,
    () => model.take(batch, token, clock.nowMs, untilMs),
    () => work.take({ id, token }, untilMs),
  )
  if (!took) return null
  const feeder: Feeder = { token, fed: (await record(id)).cursor.fed, written: null }
  world.feeders.push(feeder)
  return feeder
}

const forgetOn = (world: World, feeder: Feeder, reply: model.Fenced): void => {
  if (reply === 'lost' || reply === 'changed') world.feeders.splice(world.feeders.indexOf(feeder), 1)
}

export const feedLines = async (
  world: World,
  feeder: Feeder,
  wanted: readonly (SkipReason | null)[],
  isLong = false,
  sent = 1,
): Promise<void> => {
  const { fixture, batch, id } = world
  const lines = wanted.slice(0, batch.total - feeder.fed)
  const numbered = lines.map((reason, i) => ({ number: feeder.fed + i + 1, reason }))
  const body = JSON.stringify({ model: 'gpt-4', text: 'x'.repeat(isLong ? 1_200 : 5) })
  const feed = {
    ...fixture.feedOf(id, feeder.fed, feeder.fed + lines.length),
    jobs: numbered
      .filter(({ reason }) => reason === null)
      .map(({ number }) => fixture.batchJob(id, number, { bytes: model.lineBytes, body })),
    skipped: numbered.flatMap(({ number, reason }) =>
      reason ? [formatSkipped(number, `row-${number}`, reason)] : [],
    ),
  }
  const reply = await compare(
    'feed',
    sent,
    () => model.feed(batch, feeder.token, feeder.fed, lines),
    () => fixture.work.feed({ id, token: feeder.token }, feed),
  )
  feeder.fed += lines.length
  forgetOn(world, feeder, reply)
}

/** Reads the oldest done lines and writes them to a segment: durable from now on, and nobody's until it is collected. */
export const writeLines = async (world: World, feeder: Feeder, most: number): Promise<void> => {
  const { fixture, id, segments } = world
  const lines = await fixture.work.peek(id, 0, most, 1_000_000)
  const name = `c-${world.names++}`
  if (lines.length === 0) return
  feeder.written = { name, lines }
  for (const kind of ['output', 'error'] as const) {
    const isOutput = kind === 'output'
    const own = lines.filter(line => (outcomeOf(line) === 'succeeded') === isOutput)
    segments.set(
      `g/${name}-${kind}`,
      own.map(line => line.number),
    )
  }
}

export const collectLines = async (world: World, feeder: Feeder, sent = 1): Promise<void> => {
  const { fixture, batch, id, segments } = world
  const { name, lines } = feeder.written!
  feeder.written = null
  const record = await fixture.record(id)
  const segmentOf = (kind: string) => {
    const key = `g/${name}-${kind}`
    const numbers = segments.get(key)!
    return numbers.length === 0 ? null : { key, bytes: numbers.length * 10 }
  }
  const numbers = lines.map(line => line.number)
  const open = [...batch.jobs.keys()].filter(number => !numbers.includes(number)).sort((a, b) => a - b)
  const collection = fixture.collection(
    lines.map(line => line.entry),
    {
      name,
      lowWatermark: open[0] === undefined ? record.cursor.fed : open[0] - 1,
      bytes: lines.filter(({ kind }) => kind === 'job').length * model.lineBytes,
      output: segmentOf('output'),
      error: segmentOf('error'),
      counts: model.countsOf(lines.map(outcomeOf)),
    },
  )
  const reply = await compare(
    'collect',
    sent,
    () => model.collect(batch, feeder.token, name, numbers),
    () => fixture.work.collect({ id, token: feeder.token }, record, collection),
  )
  forgetOn(world, feeder, reply)
}

export const endBatch = async (world: World, feeder: Feeder): Promise<void> => {
  const { fixture, batch, id } = world
  const record = await fixture.record(id)
  await compare(
    'end',
    1,
    () => model.end(batch, feeder.token),
    () => fixture.work.end({ id, token: feeder.token }, record, { output: null, error: null }, []),
  )
}

export const claimJob = async (world: World, number: number): Promise<void> => {
  const { fixture, id, claims } = world
  const claim = await fixture.store.claim(batchJobId(id, number), 0, 0, `run-${world.names++}`)
  if (typeof claim !== 'string') claims.push(claim)
}

/** A good answer counts from whoever had the job once; each claim here was good when it was made. */
export const finishJob = async (world: World, at: number, isGood: boolean, sent = 1): Promise<void> => {
  const { fixture, batch, claims } = world
  const [claim] = claims.splice(at, 1)
  const outcome = isGood ? 'succeeded' : 'errored'
  await compare(
    'finalise',
    sent,
    () => model.endJob(batch, lineNumberOf(claim!.id), outcome),
    () => fixture.store.finalise(claim!, isGood ? answer(claim!.id) : failure),
  )
}

export const cancelJob = async ({ fixture, batch, id }: World, number: number): Promise<void> => {
  model.endJob(batch, number, 'canceled')
  await fixture.store.cancel(batchJobId(id, number))
}

const expireJob = async ({ fixture, batch, id }: World, number: number): Promise<void> => {
  model.endJob(batch, number, 'expired')
  await fixture.store.expire(batchJobId(id, number), 0)
}

const feeders = ({ feeders: all }: World): readonly Feeder[] => all
const openNumbers = ({ batch }: World): number[] =>
  [...batch.jobs].filter(([, end]) => end === null).map(([number]) => number)

const take = times.map(sent =>
  step(
    'take',
    0,
    w => [w],
    async w => void (await takeBatch(w, sent)),
  ),
)
const renew = pick.map(which =>
  step('renew', which, feeders, async ({ fixture, batch, id }, { token }) => {
    const untilMs = fixture.clock.nowMs + leaseMs
    await compare(
      'renew',
      1,
      () => {
        if (!model.holds(batch, token)) return null
        batch.lease = { token, untilMs }
        return batch.status
      },
      () => fixture.work.renew({ id, token }, untilMs),
    )
  }),
)
const release = pick.map(which =>
  step('release', which, feeders, async ({ fixture, batch, id, feeders: all }, feeder) => {
    all.splice(all.indexOf(feeder), 1)
    if (model.holds(batch, feeder.token)) batch.lease = null
    await fixture.work.release({ id, token: feeder.token }, fixture.clock.nowMs)
  }),
)
const die = pick.map(which =>
  step('die', which, feeders, async ({ feeders: all }, feeder) => {
    all.splice(all.indexOf(feeder), 1)
  }),
)

const reason = fc.constantFrom<SkipReason | null>(null, null, null, 'rejected', 'cancelled', 'expired')
const feed = fc
  .tuple(pick, fc.array(reason, { minLength: 1, maxLength: 5 }), fc.boolean(), times)
  .map(([which, lines, isLong, sent]) =>
    step(
      `feed ${lines}${sent > 1 ? ' twice' : ''}`,
      which,
      w => w.feeders.filter(({ fed }) => fed < w.batch.total),
      (w, feeder) => feedLines(w, feeder, lines, isLong, sent),
    ),
  )
const write = fc
  .tuple(pick, fc.integer({ min: 1, max: 6 }))
  .map(([which, most]) => step(`write ${most}`, which, feeders, (w, feeder) => writeLines(w, feeder, most)))
const collect = fc.tuple(pick, times).map(([which, sent]) =>
  step(
    `collect${sent > 1 ? ' twice' : ''}`,
    which,
    w => w.feeders.filter(({ written }) => written !== null),
    (w, feeder) => collectLines(w, feeder, sent),
  ),
)
const finalizing = pick.map(which =>
  step('finalizing', which, feeders, async ({ fixture, batch, id }, { token }) => {
    await compare(
      'finalizing',
      1,
      () => model.finalizing(batch, token),
      () => fixture.work.finalizing({ id, token }),
    )
  }),
)
const end = pick.map(which => step('end', which, feeders, endBatch))

/** What a feeder knows is not what Redis has any more: it came back from a crash without its last writes. */
const misremember = fc.tuple(pick, fc.integer({ min: -2, max: 2 })).map(([which, by]) =>
  step(`misremember ${by}`, which, feeders, async ({ batch }, feeder) => {
    feeder.fed = Math.min(batch.total, Math.max(0, feeder.fed + by))
    const { written } = feeder
    if (!written) return
    const lines = by < 0 ? [...written.lines, written.lines[0]!] : written.lines.toReversed()
    feeder.written = { ...written, lines }
  }),
)

const claim = pick.map(which => step('claim', which, openNumbers, claimJob))
const finish = fc.tuple(pick, fc.boolean(), times).map(([which, isGood, sent]) =>
  step(
    isGood ? 'succeed' : 'fail',
    which,
    w => w.claims.map((_, at) => at),
    (w, at) => finishJob(w, at, isGood, sent),
  ),
)
/** Also of one that has its end, and waits to be collected. */
const endWithoutAnswer = fc
  .tuple(pick, fc.boolean())
  .map(([which, isExpiry]) =>
    step(
      isExpiry ? 'expire a job' : 'cancel a job',
      which,
      ({ batch }) => [...batch.jobs.keys()],
      isExpiry ? expireJob : cancelJob,
    ),
  )
const cancel = times.map(sent =>
  step(
    'cancel',
    0,
    w => [w],
    async ({ fixture, batch, id }) => {
      await compare(
        'cancel',
        sent,
        () => model.cancel(batch),
        () => fixture.batches.cancel(id),
      )
    },
  ),
)
const wait = fc.constantFrom(1_000, 6_000).map(ms =>
  step(
    `wait ${ms} ms`,
    0,
    w => [w],
    async ({ fixture }) => {
      fixture.clock.nowMs += ms
    },
  ),
)

const often = (weight: number, ...steps: fc.Arbitrary<Step>[]) =>
  steps.map(arbitrary => ({ weight, arbitrary }))

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  ...often(4, claim, finish, feed),
  ...often(3, take, write, collect),
  ...often(2, end, endWithoutAnswer, misremember, wait),
  ...often(1, renew, release, die, finalizing, cancel),
)
