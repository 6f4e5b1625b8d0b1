import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Child } from '../../harness/child.ts'
import { until } from '../../harness/until.ts'
import { openRig, type Rig, submitted } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  // No answer ever comes for the poison: whoever calls it ends first.
  // All that were lost come back at the same time, so that innocent jobs wait behind the poison to be alone; and a machine that
  // stands still for three seconds does not look as if a worker had died.
  const config = { jobs: { lease: '4s' } }
  rig = await openRig({ scripts: ['hang'], provider: { concurrency: 6 }, config })
  rig.first.script({ latency: { kind: 'fixed', ms: 400 } })
})
afterEach(() => rig.close())

const poisonCalls = (): number => rig.first.calls.identities.poison ?? 0

/** The provider kills whoever calls the poison, as a heap that runs full would; a supervisor starts the next. */
const killCallersUntil = async (isOver: () => Promise<boolean>): Promise<number> => {
  let killed = 0
  for (;;) {
    const seen = poisonCalls()
    const worker: Child = await rig.site.worker('first')
    await until(async () => poisonCalls() > seen || (await isOver()), 120_000)
    if (poisonCalls() === seen) return killed
    await worker.kill()
    killed += 1
  }
}

describe('a poison job', () => {
  it('a job that ends whatever process runs it is found alone, and takes no other along after the second time', async () => {
    const { client } = rig
    const poison = await submitted(client, { model: 'hang', user: 'poison' })
    const users = Array.from({ length: 16 }, (_, i) => `neighbour-${i}`)
    const neighbours = await Promise.all(users.map(user => submitted(client, { model: 'plain', user })))
    const isOver = async (): Promise<boolean> => {
      const jobs = await Promise.all([poison, ...neighbours].map(id => client.read(id)))
      return jobs.every(({ status }) => status === 'succeeded' || status === 'failed')
    }
    const killed = await killCallersUntil(isOver)

    const job = await client.read(poison)
    expect(job).toMatchObject({ status: 'failed', error: { code: 'worker_crashed' } })
    const reasons = job.attempts.map(({ reason }) => reason)
    expect(reasons).toEqual(['worker_lost', 'worker_lost', ...Array(3).fill('worker_crashed')])
    expect([killed, poisonCalls()]).toEqual([5, 5])

    for (const [i, id] of neighbours.entries()) {
      const { status, attempts } = await client.read(id)
      expect(status).toBe('succeeded')
      const lost = attempts.filter(({ verdict }) => verdict === null)
      // Alone with none but the poison beside them at the first two ends, and with nobody at the others.
      expect(lost.every(({ reason }) => reason === 'worker_lost')).toBe(true)
      expect(lost.length).toBeLessThanOrEqual(2)
      expect(rig.first.calls.identities[users[i]!]).toBeLessThanOrEqual(1 + lost.length)
    }
  })
})
