import { describe, expect, it } from 'vitest'
import { callFigures } from '../../chaos/audit/calls.ts'
import type { Evidence } from '../../chaos/audit/evidence.ts'
import { judge } from '../../chaos/audit/judge.ts'
import { digest } from '../../chaos/load/watch.ts'
import { answerTo } from '../../chaos/plan/load.ts'
import {
  batchId,
  call,
  delivery,
  fault,
  jobEntry,
  jobView,
  livesOfCrashed,
  livesOfKilled,
  outputLine,
  soundEvidence,
  startMs,
} from './evidence.ts'

/** What the audit says of a sound run of which something was changed. */
const found = (change: (sound: Evidence) => Partial<Evidence>): string[] => {
  const sound = soundEvidence()
  return judge({ ...sound, ...change(sound) }).map(({ rule, id, marker, what }) =>
    [`${rule}:`, marker ?? id ?? '', what].join(' '),
  )
}

const withJob = (sound: Evidence, more: Parameters<typeof jobView>[1]): Evidence['jobs'] =>
  new Map([...sound.jobs, ['job_j1', jobView('j1', more)]])

const withBatch = (sound: Evidence, more: object): Pick<Evidence, 'batches'> => ({
  batches: new Map([[batchId, { ...sound.batches.get(batchId)!, ...more }]]),
})

describe('the chaos auditor', () => {
  it('finds nothing where every promise was kept', () => {
    expect(found(() => ({}))).toEqual([])
  })

  describe('jobs', () => {
    it('finds a job that was accepted and is lost', () => {
      const lost = found(({ jobs, listed, sightings }) => ({
        jobs: new Map([...jobs].filter(([id]) => id !== 'job_j2')),
        listed: listed.filter(id => id !== 'job_j2'),
        sightings,
      }))
      expect(lost).toContain('jobs: j2 was accepted and is lost: the API knows it no more')
    })

    it('finds a job that has no end', () => {
      expect(found(sound => ({ jobs: withJob(sound, { status: 'parked', response: null }) }))).toContain(
        'jobs: j1 has no result: it is parked',
      )
    })

    it('finds a job that nobody was told of, and one that stands twice', () => {
      expect(found(({ listed }) => ({ listed: [...listed, 'job_x', 'job_j1'] }))).toEqual([
        'jobs: j1 is listed 2 times',
        'jobs: job_x is listed, and no client was told that it was accepted',
      ])
    })

    it('finds the answer to another question', () => {
      const { response } = jobView('j2')
      expect(found(sound => ({ jobs: withJob(sound, { response }), sightings: [] }))).toEqual([
        'jobs: j1 has not the answer to its question',
      ])
    })

    it('finds an end that the request does not allow', () => {
      const failed = { status: 'failed', error: { code: 'attempts_exhausted', message: '' } } as const
      expect(found(sound => ({ jobs: withJob(sound, failed), sightings: [], deliveries: [] }))).toContain(
        'jobs: j1 ended as failed (attempts_exhausted), not as succeeded',
      )
    })

    it('finds a cancel that was promised and not kept', () => {
      const cancelled = {
        ...jobEntry('j1', { fate: 'cancelled' }),
        cancel: { status: 200, atMs: startMs },
      }
      const told = found(({ ledger }) => ({ ledger: { ...ledger, jobs: [cancelled, ledger.jobs[1]!] } }))
      expect(told).toEqual(['jobs: j1 ended as succeeded (no error), not as cancelled'])
    })

    it('finds a bad request that was accepted', () => {
      const told = found(({ ledger }) => ({
        ledger: { ...ledger, jobs: [jobEntry('j1', { fate: 'malformed' }), ledger.jobs[1]!] },
      }))
      expect(told).toContain('jobs: j1 should be refused, and was answered job_j1')
      expect(told).toContain('calls: j1 was refused at the door, and called for all the same')
    })
  })

  describe('streams', () => {
    const chunk = (content: string): string =>
      `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`
    const broken = 'data: {"error":{"code":"stream_broken"}}\n\n'
    const done = 'data: [DONE]\n\n'
    const answer = answerTo('j1')
    const [begin, rest] = [answer.slice(0, 9), answer.slice(9)]
    const streamed = (stream: string, more: Parameters<typeof jobView>[1] = {}) =>
      found(sound => ({
        ledger: {
          ...sound.ledger,
          jobs: [{ ...jobEntry('j1', { cutsAfterMs: 500 }), stream }, sound.ledger.jobs[1]!],
        },
        jobs: withJob(sound, more),
      })).filter(fault => fault.startsWith('streams:'))
    const failed = {
      status: 'failed',
      response: null,
      error: { code: 'stream_broken', message: '' },
    } as const

    it('takes a whole answer, and the beginning of one with an error', () => {
      expect(streamed(chunk(begin) + chunk(rest) + done)).toEqual([])
      expect(streamed(chunk(begin) + broken + done, failed)).toEqual([])
    })

    it('finds a piece that is lost, doubled or out of order', () => {
      const texts = [chunk(begin), chunk(begin) + chunk(begin) + chunk(rest), chunk(rest) + chunk(begin)]
      for (const text of texts) {
        expect(streamed(text + done)).toHaveLength(1)
        expect(streamed(text + chunk(rest) + broken + done, failed)).toHaveLength(
          text === chunk(begin) ? 0 : 1,
        )
      }
    })

    it('finds a stream that never ended, and one that broke off without a word', () => {
      expect(streamed(chunk(answer))).toHaveLength(1)
      expect(streamed(chunk(begin), failed)).toHaveLength(1)
      expect(streamed(chunk(begin) + broken + broken + done, failed)).toHaveLength(1)
    })
  })

  describe('results', () => {
    it('finds a result that changed after it was final', () => {
      const changed = found(sound => ({ jobs: withJob(sound, { finished_at: startMs / 1_000 + 9 }) }))
      expect(changed).toEqual([
        expect.stringMatching(/^stability: job_j1 its final result has changed since/),
      ])
    })

    it('takes the progress of a webhook for no change', () => {
      const webhook = { url: 'http://127.0.0.1/hook', status: 'pending', attempts: 0 }
      expect(found(sound => ({ jobs: withJob(sound, { webhook }) }))).toEqual([])
    })

    it('finds an output whose beginning changed', () => {
      const seen = outputLine('b1-l2')
      const sighting = {
        id: batchId,
        fingerprint: digest(seen),
        bytes: Buffer.byteLength(seen),
        atMs: startMs,
      }
      expect(found(() => ({ sightings: [sighting] }))).toEqual([
        expect.stringMatching(/^stability: batch_\w+ lines of its output have changed since/),
      ])
      const sound = { ...sighting, fingerprint: digest(outputLine('b1-l1')) }
      expect(found(() => ({ sightings: [sound] }))).toEqual([])
    })
  })

  describe('batches', () => {
    it('finds a line that is lost, and counts that know of it', () => {
      expect(found(sound => withBatch(sound, { output: outputLine('b1-l1') }))).toEqual([
        'batches: b1 counts 2 completed and 1 failed of 3, and its files have 1 and 1 lines',
        'batches: b1-l2 has no line in the output: it is lost',
      ])
    })

    it('finds a line that stands twice', () => {
      const output = outputLine('b1-l1') + outputLine('b1-l2') + outputLine('b1-l2')
      expect(found(sound => withBatch(sound, { output }))).toContain(
        'batches: b1-l2 has 2 lines in the output',
      )
    })

    it('finds a line of another batch', () => {
      const output = outputLine('b1-l1') + outputLine('b2-l1')
      expect(found(sound => withBatch(sound, { output }))).toEqual(
        expect.arrayContaining([
          'batches: b2-l1 is in the output and was not in the input',
          'batches: b1-l2 has no line in the output: it is lost',
        ]),
      )
    })

    it('finds counts that do not add up', () => {
      const told = found(sound => {
        const { view } = sound.batches.get(batchId)!
        const counts = { total: 3, completed: 1, failed: 1 }
        return { ...withBatch(sound, { view: { ...view, request_counts: counts } }), sightings: [] }
      })
      expect(told).toEqual([
        'batches: b1 its counts do not add up: 1 completed and 1 failed of 3',
        'batches: b1 counts 1 completed and 1 failed of 3, and its files have 2 and 1 lines',
      ])
    })
  })

  describe('webhooks', () => {
    const without = (id: string) => (sound: Evidence) => ({
      deliveries: sound.deliveries.filter(({ event }) => (event as { data: { id: string } }).data.id !== id),
    })

    it('finds that sound receivers got no webhooks while others hung', () => {
      const told = (came: number) => (sound: Evidence) => {
        const ids = Array.from({ length: 60 }, (_, i) => `w${i}`)
        const hang = {
          ...({ kind: 'receiver-hang', target: 'hanging receiver', atMs: 0, forMs: 5_000 } as const),
        }
        const fault = { ...hang, number: 1, beganAtMs: startMs, endedAtMs: startMs + 5_000, note: '' }
        const event = (id: string) => ({ data: { id: `job_${id}` } })
        return {
          ...sound,
          faults: [fault],
          ledger: { ...sound.ledger, jobs: ids.map(id => jobEntry(id)) },
          jobs: new Map(ids.map(id => [`job_${id}`, jobView(id)])),
          deliveries: ids.map((id, i) => ({
            ...{ id: `evt_${id}`, isVerified: true, event: event(id), status: 200 },
            atMs: startMs + (i < came ? 2_000 : 9_000),
          })),
        }
      }
      const about = (came: number) => found(told(came)).filter(line => line.includes('sound receivers'))
      expect(about(15)).toEqual([])
      expect(about(14)).toEqual([
        'webhooks:  14 webhooks came to sound receivers while others hung or had no name, and 60 were owed then',
      ])
    })

    it('finds a webhook that never arrived, unless it is a dead letter', () => {
      expect(found(without('job_j1'))).toEqual([
        'webhooks: j1 its webhook never arrived, and is no dead letter',
      ])
      expect(found(sound => ({ ...without('job_j1')(sound), deadLetters: new Set(['job_j1']) }))).toEqual([])
      expect(found(without(batchId))).toEqual([
        'webhooks: b1 its webhook never arrived, and is no dead letter',
      ])
    })

    it('finds a repetition that tells of something else', () => {
      const again = delivery('job_j2', 'job.failed', {})
      expect(found(({ deliveries }) => ({ deliveries: [...deliveries, again] }))).toEqual([
        'webhooks: j2 ended as job.succeeded, and a webhook told of another end',
        'webhooks: j2 a webhook was repeated with another result',
      ])
      const renamed = { ...delivery('job_j2', 'job.succeeded', {}), id: 'evt_other' }
      expect(found(({ deliveries }) => ({ deliveries: [...deliveries, renamed] }))).toEqual([
        'webhooks: j2 had webhooks with different ids',
      ])
    })

    it('takes a true repetition for what it is, and finds one that does not verify', () => {
      const again = delivery('job_j2', 'job.succeeded', {})
      expect(found(({ deliveries }) => ({ deliveries: [...deliveries, again] }))).toEqual([])
      expect(
        found(({ deliveries }) => ({ deliveries: [...deliveries, { ...again, isVerified: false }] })),
      ).toEqual(['webhooks:  1 deliveries did not verify'])
    })
  })

  describe('calls', () => {
    const again = call('j1', { startedAtMs: startMs + 4_000, endedAtMs: startMs + 4_500, caller: 'alpha-2' })
    const doubled = (sound: Evidence) => [...sound.calls, again]

    it('finds a call that was made twice for no reason', () => {
      expect(found(sound => ({ calls: doubled(sound) }))).toEqual([
        'calls: j1 was answered 2 times, and a fault can have cost 0 of these answers',
      ])
    })

    it.each([
      ['killed', { lives: new Map([['alpha-1', livesOfKilled(startMs + 200)]]) }],
      ['frozen', { faults: [fault({ kind: 'freeze', target: 'alpha-1' })] }],
      ['cut off from Redis', { faults: [fault({ kind: 'redis-half-open', target: 'alpha-1' })] }],
      ['there when Redis died', { faults: [fault({ kind: 'redis-kill', target: 'redis' })] }],
      ['cut off from the provider', { faults: [fault({ kind: 'provider-half-open', target: 'alpha' })] }],
    ])('lets a call be repeated whose worker was %s', (_, around) => {
      expect(found(sound => ({ calls: doubled(sound), ...around }))).toEqual([])
      const sound = soundEvidence()
      const figures = callFigures({ ...sound, calls: doubled(sound), ...around })
      expect(figures).toMatchObject({ calls: 6, good: 5, wasted: 1 })
      expect(figures.atRisk).toBeGreaterThanOrEqual(1)
    })

    it.each([
      ['another worker', { lives: new Map([['alpha-2', livesOfKilled(startMs + 200)]]) }],
      ['this worker, later', { lives: new Map([['alpha-1', livesOfKilled(startMs + 9_000)]]) }],
      ['another provider', { faults: [fault({ kind: 'provider-half-open', target: 'beta' })] }],
      ['nobody', { faults: [fault({ kind: 'provider-errors', target: 'alpha' })] }],
    ])('takes a fault of %s for no excuse', (_, around) => {
      expect(found(sound => ({ calls: doubled(sound), ...around }))).toHaveLength(1)
    })

    it('excuses one repetition for each answer that a fault took', () => {
      const third = call('j1', { startedAtMs: startMs + 8_000, endedAtMs: startMs + 8_500 })
      const lives = new Map([['alpha-1', livesOfKilled(startMs + 200)]])
      expect(found(sound => ({ calls: [...doubled(sound), third], lives }))).toEqual([
        'calls: j1 was answered 3 times, and a fault can have cost 1 of these answers',
      ])
    })

    it('finds a success that no provider knows of, and a call that nobody asked for', () => {
      expect(found(({ calls }) => ({ calls: calls.filter(({ identity }) => identity !== 'b1-l1') }))).toEqual(
        ['calls: b1-l1 succeeded, and no provider answered it'],
      )
      expect(found(({ calls }) => ({ calls: [...calls, call('j99')] }))).toEqual([
        'calls: j99 was called for and never submitted',
      ])
    })
  })

  describe('the cluster', () => {
    it('finds what is left in Redis', () => {
      const leftovers = [{ where: 'the schedule', count: 2, sample: ['job_a.0.0', 'job_b.0.0'] }]
      expect(found(() => ({ leftovers }))).toEqual(['cluster:  2 left in the schedule: job_a.0.0, job_b.0.0'])
    })

    it('finds a process that died by itself', () => {
      expect(found(() => ({ lives: new Map([['alpha-1', livesOfCrashed({})]]) }))).toEqual([
        'cluster:  alpha-1 ended by itself with exit code 7',
      ])
      // Redis was away when it started.
      const refused = livesOfCrashed({ readyAtMs: null })
      expect(found(() => ({ lives: new Map([['alpha-1', refused]]) }))).toEqual([])
    })

    it('finds a process that did not end when it was asked to', () => {
      const [killed] = livesOfKilled(startMs)
      expect(found(() => ({ lives: new Map([['alpha-1', [killed!]]]) }))).toEqual([
        'cluster:  alpha-1 was asked to end at last, and did with SIGKILL',
      ])
    })

    it('finds a process that grew', () => {
      expect(found(() => ({ residentBytes: new Map([['api', 900e6]]) }))).toEqual([
        'cluster:  api holds 900 MB in RAM at the end',
      ])
    })
  })
})
