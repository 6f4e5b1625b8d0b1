import { expect } from 'vitest'
import type { Claim, Move } from '../../../src/jobs/types.ts'
import type { Model, ModelJob } from './model.ts'
import type { Records } from './rig.ts'

/** The store, with every reply that changes something held against the model's: whoever asks, a sweeper too. */
export const createCheckedStore = (
  store: Records,
  model: Model,
  now: () => number,
  /** When the lease of a running job comes up in the schedule, in Unix ms; 0 when it does not. */
  leaseOf: (jobId: string) => Promise<number>,
): Records => {
  const jobOf = (id: string): ModelJob => {
    const job = model.jobs.get(id)
    if (!job) throw new Error(`the model has no job ${id}`)
    return job
  }

  const moved = async (
    what: string,
    claim: Claim,
    to: Move,
    resumesAtMs: number | null,
    act: () => Promise<boolean>,
  ): Promise<boolean> => {
    const { hop, generation, target, attemptsSpent: spent, attempts } = to
    const place = { hop, generation, provider: target.provider, spent }
    const expected = model.move(jobOf(claim.id), claim.token, place, attempts.length, resumesAtMs)
    const reply = await act()
    expect(reply, what).toBe(expected)
    return reply
  }

  /** Jobs are asked for as they are at the call, which is the order in which Redis gets the commands. */
  const checked = async <Reply>(what: string, expected: Reply, act: () => Promise<Reply>): Promise<Reply> => {
    const reply = await act()
    expect(reply, what).toEqual(expected)
    return reply
  }

  return {
    ...store,
    create: async (job, token = '') => {
      const { id, expiresAtMs, createdAtMs, body, webhook, target, idempotency } = job
      const [isLong, hasWebhook] = [body.length > 1_000, webhook !== null]
      const hasTimer = expiresAtMs - createdAtMs <= 900_000
      const { provider } = target
      const made = { id, expiresAtMs, isLong, hasWebhook, hasTimer, provider }
      const expected = model.create(made, idempotency, token)
      const reply = await store.create(job, token)
      expect(reply, 'create').toEqual(expected)
      return reply
    },
    claim: async (id, hop, generation, token) => {
      const expected = model.claim(jobOf(id), hop, generation, token)
      const claim = await store.claim(id, hop, generation, token)
      const shown =
        typeof claim === 'string'
          ? claim
          : {
              hop: claim.hop,
              generation: claim.generation,
              spent: claim.attemptsSpent,
              calls: claim.attempts.length,
              provider: claim.target.provider,
            }
      expect(shown, 'claim').toEqual(expected)
      return claim
    },
    renew: ({ id, token }) =>
      checked('renew', model.renew(jobOf(id), token), () => store.renew({ id, token })),
    advance: (claim, to, dueAtMs) =>
      moved('advance', claim, to, null, () => store.advance(claim, to, dueAtMs)),
    park: (claim, to, resumesAtMs) =>
      moved('park', claim, to, resumesAtMs, () => store.park(claim, to, resumesAtMs)),
    retry: (claim, spent, attempt, nextCallAtMs) =>
      checked('retry', model.retry(jobOf(claim.id), claim.token, spent, nextCallAtMs), () =>
        store.retry(claim, spent, attempt, nextCallAtMs),
      ),
    finalise: (claim, final) => {
      const { status, response, error, attempts } = final
      const end = { status, body: response?.body ?? null, code: error?.code ?? null, calls: attempts.length }
      const expected = model.finalise(jobOf(claim.id), claim.token, end)
      return checked('finalise', expected, () => store.finalise(claim, final))
    },
    account: ({ id, token }, attempts) =>
      checked('account', model.account(jobOf(id), token, attempts.length), () =>
        store.account({ id, token }, attempts),
      ),
    cancel: id =>
      checked('cancel', model.endWithoutAnswer(jobOf(id), 'cancelled', 0), () => store.cancel(id)),
    expire: (id, deferUntilMs) =>
      checked('expire', model.endWithoutAnswer(jobOf(id), 'expired', deferUntilMs), () =>
        store.expire(id, deferUntilMs),
      ),
    recover: async (record, takenUntilMs) => {
      const job = jobOf(record.id)
      // A sweeper that slept finds that another took the lease's entry meanwhile: that one sees to the job, or the next if it died.
      const leaseMs = await leaseOf(record.id)
      const isAnothers = job.state === 'running' && leaseMs > now() && leaseMs !== takenUntilMs
      const expected = !isAnothers && model.recover(job, record.hop, record.generation)
      return checked('recover', expected, () => store.recover(record, takenUntilMs))
    },
    recordDelivery: (id, attemptsBefore, result) =>
      checked('recordDelivery', model.recordDelivery(jobOf(id), attemptsBefore, result.status), () =>
        store.recordDelivery(id, attemptsBefore, result),
      ),
    redeliver: id => checked('redeliver', model.redeliver(jobOf(id)), () => store.redeliver(id)),
  }
}
