import fc from 'fast-check'
import type { Attempt } from '../../../src/domain/job.ts'
import { placeOf } from '../../../src/domain/place.ts'
import { jobDoorbell, parseDoorbell } from '../../../src/jobs/doorbell.ts'
import type { JobStore, Move } from '../../../src/jobs/types.ts'
import { providerQueue } from '../../../src/queue/doorbells.ts'
import { sweep } from '../../../src/queue/sweeper.ts'
import { answer, failure } from '../../jobs/store-fixture.ts'
import { isOver } from './model.ts'
import { providers } from './rig.ts'
import { forget, pick, type Ringer, type Runner, step, type World } from './world.ts'

const attemptOf = ({ claim }: Runner, nowMs: number): Attempt => ({
  hop: claim.hop,
  provider: claim.target.provider,
  model: claim.target.model,
  started_at: nowMs / 1_000,
  duration_ms: 5,
  status_code: 500,
  verdict: 'transient',
  reason: 'http_500',
  possibly_billed: false,
})

/** Of whichever provider has one, beginning with this. */
const takeChunk = fc.tuple(fc.nat(providers.length - 1), fc.boolean()).map(([first, isSentTwice]) =>
  step(
    `take a chunk, of ${providers[first]} first`,
    0,
    world => (world.model.all().some(job => job.state === 'queued' || job.state === 'parked') ? [world] : []),
    async world => {
      for (const provider of [...providers.slice(first), ...providers.slice(0, first)]) {
        const name = `chunk-${world.tokens++}`
        const chunk = await world.rig.takeChunk(providerQueue(provider), name, isSentTwice)
        if (chunk) return void world.ringers.push({ chunk, left: chunk.doorbells })
      }
    },
  ),
)

/** The claim of a doorbell: whoever gets the job runs it from now on. */
export const answerDoorbell = async (
  world: World,
  ringer: Ringer,
  isSentTwice = false,
): Promise<Runner | null> => {
  const [name, ...left] = ringer.left
  ringer.left = left
  const doorbell = parseDoorbell(name!)
  if (doorbell.kind !== 'job') throw new Error(`no doorbell of a job: ${name}`)
  const token = `run-${world.tokens++}`
  const { jobId, hop, generation } = doorbell
  let claim = await world.store.claim(jobId, hop, generation, token)
  if (isSentTwice) claim = await world.store.claim(jobId, hop, generation, token)
  if (typeof claim === 'string') return null
  const runner = { claim, spent: claim.attemptsSpent }
  world.runners.push(runner)
  return runner
}

const answerOne = fc.tuple(pick, fc.boolean()).map(([which, isSentTwice]) =>
  step(
    isSentTwice ? 'claim twice' : 'claim',
    which,
    ({ ringers }) => ringers.filter(({ left }) => left.length > 0),
    async (world, ringer) => {
      await answerDoorbell(world, ringer, isSentTwice)
    },
  ),
)

const endChunk = pick.map(which =>
  step(
    'end a chunk',
    which,
    ({ ringers }) => ringers.filter(({ left }) => left.length === 0),
    async ({ rig, ringers }, ringer) => {
      forget(ringers, ringer)
      await rig.endChunk(ringer.chunk)
    },
  ),
)

/** Calls made since the claim, and where the job goes. */
const move = fc.record({
  calls: fc.nat(2),
  provider: fc.constantFrom(...providers),
  spends: fc.nat(1),
  isSentTwice: fc.boolean(),
})
type Going = typeof move extends fc.Arbitrary<infer T> ? T : never

const moveOf = (runner: Runner, { calls, provider, spends }: Going, nowMs: number): Move => {
  const { claim } = runner
  const isHere = provider === claim.target.provider
  return {
    hop: isHere ? claim.hop : claim.hop + 1,
    generation: isHere ? claim.generation + 1 : 0,
    target: { provider, model: 'gpt/4' },
    attemptsSpent: runner.spent + spends,
    attempts: Array.from({ length: calls }, () => attemptOf(runner, nowMs)),
  }
}

/** Whoever lost its job tells of its calls, and again after a lost reply. */
const disown = async (store: JobStore, { claim }: Runner, attempts: readonly Attempt[]): Promise<void> => {
  await store.account(claim, attempts)
  await store.account(claim, attempts)
}

/** A runner does one thing with its job and lets go of it, whether it still had it or not. */
const last = (name: string, which: number, act: (world: World, runner: Runner) => Promise<void>) =>
  step(
    name,
    which,
    ({ runners }) => runners,
    async (world, runner) => {
      forget(world.runners, runner)
      await act(world, runner)
    },
  )

const advance = fc.tuple(pick, move, fc.boolean()).map(([which, going, rings]) =>
  last(`advance ${JSON.stringify(going)}`, which, async ({ store, rig, late }, runner) => {
    const to = moveOf(runner, going, rig.clock.nowMs)
    const moved = await store.advance(runner.claim, to, rig.clock.nowMs)
    if (going.isSentTwice) await store.advance(runner.claim, to, rig.clock.nowMs)
    if (!moved) return disown(store, runner, to.attempts)
    const doorbell = jobDoorbell(runner.claim.id, to.hop, to.generation)
    const ring = { queue: providerQueue(to.target.provider), doorbell, place: placeOf(runner.claim) }
    if (rings) await rig.doorbells.ring(ring)
    else late.push(ring)
  }),
)

const park = fc.tuple(pick, move, fc.constantFrom(100, 4_000, 90_000)).map(([which, going, forMs]) =>
  last(`park ${forMs} ${JSON.stringify(going)}`, which, async ({ store, rig }, runner) => {
    const to = moveOf(runner, going, rig.clock.nowMs)
    if (!(await store.park(runner.claim, to, rig.clock.nowMs + forMs)))
      return disown(store, runner, to.attempts)
    if (going.isSentTwice) await store.park(runner.claim, to, rig.clock.nowMs + forMs)
  }),
)

const finish = fc
  .tuple(pick, fc.boolean(), fc.nat(1), fc.boolean())
  .map(([which, isGood, calls, isSentTwice]) =>
    last(
      `${isGood ? 'succeed' : 'fail'} ${isSentTwice ? 'twice' : ''}`,
      which,
      async ({ store, rig }, runner) => {
        const end = isGood ? answer(`by ${runner.claim.token}`) : failure
        const final = { ...end, attempts: Array(calls).fill(attemptOf(runner, rig.clock.nowMs)) }
        if (!(await store.finalise(runner.claim, final))) return disown(store, runner, final.attempts)
        if (isSentTwice) await store.finalise(runner.claim, final)
      },
    ),
  )

const retry = fc.tuple(pick, fc.nat(1), fc.boolean()).map(([which, spends, isSentTwice]) =>
  step(
    isSentTwice ? 'retry twice' : 'retry',
    which,
    ({ runners }) => runners,
    async ({ store, rig, runners, model }, runner) => {
      runner.spent += spends
      const { nowMs } = rig.clock
      // No earlier than the call that has failed began.
      const nextCallAtMs = Math.max(nowMs, model.jobs.get(runner.claim.id)!.calledAtMs) + 250
      const send = () => store.retry(runner.claim, runner.spent, [attemptOf(runner, nowMs)], nextCallAtMs)
      const holds = await send()
      if (isSentTwice) await send()
      if (holds) return
      forget(runners, runner)
      await disown(store, runner, [attemptOf(runner, nowMs)])
    },
  ),
)

const renew = pick.map(which =>
  step(
    'renew',
    which,
    ({ runners }) => runners,
    async ({ store }, { claim }) => {
      await store.renew(claim)
    },
  ),
)

/** A worker ends its own calls at the deadline. */
const expire = pick.map(which =>
  step(
    'expire',
    which,
    ({ runners, rig }) => runners.filter(({ claim }) => claim.expiresAtMs <= rig.clock.nowMs),
    async ({ store, runners, rig }, runner) => {
      forget(runners, runner)
      await store.expire(runner.claim.id, 0)
      await disown(store, runner, [attemptOf(runner, rig.clock.nowMs)])
    },
  ),
)

const freeze = pick.map(which =>
  last('freeze', which, async ({ frozen }, runner) => void frozen.push(runner)),
)

/** Long enough for a sweeper to take its job from it. */
const loseLease = pick.map(which =>
  last('lose a lease', which, async ({ frozen, rig, model, parts }, runner) => {
    frozen.push(runner)
    rig.clock.nowMs += model.leaseMs
    await sweep(parts)
  }),
)

/** Another may run its job by now. */
const comeBack = pick.map(which =>
  step(
    'come back',
    which,
    ({ frozen, model }) =>
      frozen.filter(({ claim }) => {
        const job = model.jobs.get(claim.id)!
        return !isOver(job) && job.holder !== null && job.holder !== claim.token
      }),
    async ({ frozen, runners }, runner) => {
      forget(frozen, runner)
      runners.push(runner)
    },
  ),
)

const dieWithJob = pick.map(which => last('die with a job', which, async () => undefined))

/** A chunk ends though some of its doorbells were not answered: what a worker does when a claim throws. */
const dropChunk = pick.map(which =>
  step(
    'drop a chunk',
    which,
    ({ ringers }) => ringers,
    async ({ rig, ringers, model }, ringer) => {
      forget(ringers, ringer)
      if (!(await rig.endChunk(ringer.chunk))) return
      for (const job of model.all()) {
        const isLost = ringer.left.includes(jobDoorbell(job.id, job.hop, job.generation))
        if (isLost && !isOver(job) && job.state !== 'running') job.isAdrift = true
      }
    },
  ),
)

const dieWithChunk = pick.map(which =>
  step(
    'die with a chunk',
    which,
    ({ ringers }) => ringers,
    async ({ ringers, orphans }, ringer) => {
      forget(ringers, ringer)
      orphans.push(ringer)
    },
  ),
)

/** Silent for longer than it may keep a chunk: that goes to another, and who lives may go on with it. */
const loseChunk = pick.map(which =>
  step(
    'lose a chunk',
    which,
    ({ ringers, orphans }) => [...ringers, ...orphans],
    async ({ rig, orphans }, holder) => {
      forget(orphans, holder)
      await rig.loseChunk(holder.chunk)
    },
  ),
)

export const workerSteps = {
  takeChunk,
  answerOne,
  endChunk,
  advance,
  park,
  finish,
  retry,
  renew,
  expire,
  freeze,
  loseLease,
  comeBack,
  dieWithJob,
  dieWithChunk,
  dropChunk,
  loseChunk,
}
