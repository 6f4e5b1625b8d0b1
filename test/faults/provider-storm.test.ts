import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../harness/until.ts'
import type { JobView } from '../../src/jobs/view.ts'
import { openRig, type Rig, submitted } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig({ provider: { breaker: { min_calls: 5, reset: '1s' } } })
  const { site } = rig
  await Promise.all([site.worker('first'), site.worker('first'), site.worker('second')])
})
afterEach(() => rig.close())

const submitMany = (count: number, model: string) =>
  Promise.all(
    Array.from({ length: count }, (_, i) => submitted(rig.client, { model, user: `${model}-${i}` })),
  )

const statuses = (jobs: readonly JobView[]) => new Set(jobs.map(job => job.status))
const verdicts = (jobs: readonly JobView[]) => new Set(jobs.flatMap(job => job.attempts.map(a => a.verdict)))

describe('a storm at every provider', () => {
  it('fails no job in a storm of 429s from every provider', async () => {
    const { client, first, second } = rig
    // What a provider tells of its limits is obeyed, and there would be no storm.
    first.script({ throttle: { rps: 20, burst: 20, silent: true } })
    second.script({ throttle: { rps: 10, burst: 10, silent: true } })
    const ids = await submitMany(100, 'chain')
    const jobs = await Promise.all(ids.map(id => client.ended(id, 25_000)))
    expect(statuses(jobs)).toEqual(new Set(['succeeded']))
    expect(verdicts(jobs)).toEqual(new Set(['rate_limited', 'ok']))
    expect(first.calls.outcomes.throttle).toBeGreaterThan(0)
    expect(second.calls.outcomes.throttle).toBeGreaterThan(0)
  })

  it.each(['reset', 'error-503'] as const)(
    'parks jobs while every provider is down (%s) and takes them up by itself when one is back',
    async kind => {
      const { client, first, second } = rig
      first.script({ fault: { kind } })
      second.script({ fault: { kind } })
      const ids = await submitMany(40, 'chain')
      await until(async () => {
        const jobs = await client.all()
        return jobs.every(job => job.status === 'parked' && job.resumes_at !== null)
      })
      second.script({})
      const jobs = await Promise.all(ids.map(id => client.ended(id, 25_000)))
      expect(statuses(jobs)).toEqual(new Set(['succeeded']))
      expect(new Set(jobs.map(job => job.provider))).toEqual(new Set(['second']))
    },
  )
})
