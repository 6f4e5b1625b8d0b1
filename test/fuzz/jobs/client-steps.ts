import fc from 'fast-check'
import { placeOf } from '../../../src/domain/place.ts'
import { claimOf } from '../../../src/jobs/codec.ts'
import { jobDoorbell } from '../../../src/jobs/doorbell.ts'
import type { NewJob } from '../../../src/jobs/types.ts'
import { providerQueue } from '../../../src/queue/doorbells.ts'
import { newJobId } from '../../../src/redis/keys.ts'
import { isOver } from './model.ts'
import { providers, shards } from './rig.ts'
import { event, forget, pick, step } from './world.ts'

/** So many at a time, and in a run: more of them would only make each step longer. */
const maxLive = 4
const maxJobs = 12

const wish = fc.record({
  shard: fc.constantFrom(...shards),
  provider: fc.constantFrom(...providers),
  priority: fc.constantFrom('default' as const, 'low' as const, 'high' as const),
  isLong: fc.boolean(),
  hasWebhook: fc.boolean(),
  /** The shorter has a timer from its beginning, the longer gets it from the reconciler. */
  windowMs: fc.constantFrom(600_000, 86_400_000),
  /** Which of a few keys, and with which request. */
  key: fc.option(fc.tuple(fc.nat(1), fc.nat(1))),
  /**
   * What becomes of its doorbell: rung, rung later, or left to the schedule by an API that dies. It has none where a worker
   * beside the API claims it as it is made.
   */
  doorbell: fc.constantFrom('rung', 'rung', 'late', 'left', 'none', 'none'),
  isSentTwice: fc.boolean(),
})
type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never

const jobOf = (wanted: Wish, nowMs: number): NewJob => ({
  // Jobs with a key live where the key does.
  id: newJobId(wanted.key ? shards[0]! : wanted.shard, nowMs),
  tenant: 'default',
  endpoint: '/v1/chat/completions',
  model: 'gpt-4',
  body: JSON.stringify({ model: 'gpt-4', text: 'x'.repeat(wanted.isLong ? 1_500 : 10) }),
  tokens: 500,
  createdAtMs: nowMs,
  expiresAtMs: nowMs + wanted.windowMs,
  target: { provider: wanted.provider, model: 'gpt/4' },
  priority: wanted.priority,
  webhook: wanted.hasWebhook ? { url: 'https://hooks.example/x' } : null,
  metadata: wanted.key ? { customer: `c${wanted.key[0]}` } : null,
  retryOf: null,
  idempotency: wanted.key && {
    keyHash: `key-${wanted.key[0]}`,
    fingerprint: `request-${wanted.key[1]}`,
    ttlMs: 86_400_000,
  },
})

const submit = wish.map(wanted =>
  step(
    `submit ${JSON.stringify(wanted)}`,
    0,
    ({ model }) => {
      const live = model.all().filter(job => !isOver(job)).length
      return live < maxLive && model.jobs.size < maxJobs ? [wanted] : []
    },
    async world => {
      const { store, rig, late } = world
      const job = jobOf(wanted, rig.clock.nowMs)
      const token = wanted.doorbell === 'none' ? `run-${world.tokens++}` : ''
      const created = await store.create(job, token)
      // The reply was lost, and the client library sends the command again.
      if (wanted.isSentTwice) await store.create(job, token)
      if (created.kind === 'claimed') world.runners.push({ claim: claimOf(job, token), spent: 0 })
      if (created.kind !== 'created') return
      const ring = {
        queue: providerQueue(wanted.provider),
        doorbell: jobDoorbell(job.id, 0, 0),
        place: placeOf(job),
      }
      if (wanted.doorbell === 'rung') await rig.doorbells.ring(ring)
      if (wanted.doorbell === 'late') late.push(ring)
    },
  ),
)

const cancel = fc.tuple(pick, fc.boolean()).map(([which, isSentTwice]) =>
  step(
    isSentTwice ? 'cancel twice' : 'cancel',
    which,
    ({ model }) => model.all(),
    async ({ store }, { id }) => {
      await store.cancel(id)
      if (isSentTwice) await store.cancel(id)
    },
  ),
)

/** Whoever owed it was slow: by now it may lead nowhere. */
const ringLate = pick.map(which =>
  step(
    'ring late',
    which,
    ({ late }) => late,
    async ({ rig, late }, ring) => {
      forget(late, ring)
      await rig.doorbells.ring(ring)
    },
  ),
)

const wait = fc.constantFrom(10, 1_000, 5_000, 16_000, 16_000, 16_000, 61_000, 300_000).map(ms =>
  event(`wait ${ms} ms`, async ({ rig }) => {
    rig.clock.nowMs += ms
  }),
)

export const clientSteps = { submit, cancel, ringLate, wait }
