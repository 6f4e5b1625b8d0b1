import { describe, expect, test } from 'vitest'
import { auditDeliveries, auditJobs, type Deliveries } from '../../demo/audit.ts'
import { answerTo, jobName } from '../../demo/workload.ts'
import type { JobView } from '../../src/jobs/view.ts'

const answer = (text: string) => ({
  status_code: 200,
  body: { choices: [{ message: { content: text } }] },
})

const jobOf = (index: number): JobView => ({
  id: `job_${index}`,
  object: 'job',
  status: 'succeeded',
  endpoint: '/v1/chat/completions',
  model: 'gpt-4',
  provider: 'primary',
  upstream_model: 'gpt-4',
  batch_id: null,
  priority: 'default',
  retry_of: null,
  created_at: 1,
  started_at: 1,
  finished_at: 2,
  expires_at: 3,
  resumes_at: null,
  estimated_completion_at: null,
  attempts: [
    {
      hop: 0,
      provider: 'primary',
      model: 'gpt-4',
      started_at: 1,
      duration_ms: 5,
      status_code: 200,
      verdict: 'ok',
      reason: 'stop',
      possibly_billed: false,
    },
  ],
  response: answer(answerTo(jobName(index))),
  error: null,
  usage: null,
  cost_usd: null,
  webhook: null,
  metadata: {},
})

const deliveryOf = (job: JobView): Deliveries[number] => ({
  id: job.id.replace('job', 'evt'),
  isVerified: true,
  event: { type: `job.${job.status}`, data: structuredClone(job) },
})

interface Run {
  readonly ids: readonly string[]
  readonly jobs: readonly JobView[]
  readonly deliveries: Deliveries
}

const audit = ({ ids, jobs, deliveries }: Run): string[] => [
  ...auditDeliveries(deliveries, new Set(ids)),
  ...auditJobs({ ids, jobs }, deliveries),
]

const jobs = [jobOf(0), jobOf(1)]
const deliveries = jobs.map(deliveryOf)
const good: Run = { ids: ['job_0', 'job_1'], jobs, deliveries }
const secondIs = (changed: Partial<JobView>): Run => {
  const second = { ...jobOf(1), ...changed }
  return { ...good, jobs: [jobOf(0), second], deliveries: [jobOf(0), second].map(deliveryOf) }
}
const changedEvent = (): Deliveries[number] => deliveryOf({ ...jobOf(1), response: answer('another') })

describe("the demo's audit", () => {
  test('a run that kept every promise has no faults, repeated webhooks included', () => {
    expect(audit(good)).toEqual([])
    expect(audit({ ...good, deliveries: [...deliveries, deliveries[0]!] })).toEqual([])
  })

  describe('a run with a broken promise has a fault', () => {
    const error = { code: 'expired', message: '' } as const
    test.each<[string, Run, string]>([
      [
        'a job that failed',
        secondIs({ status: 'expired', response: null, error }),
        'job_1 is expired: expired',
      ],
      ['a job not ended', secondIs({ status: 'running' }), 'job_1 is running: no result'],
      ['no good answer', secondIs({ attempts: [] }), 'job_1 has 0 good answers on its log'],
      [
        'another answer',
        secondIs({ response: answer('echo: x') }),
        'job_1 has not the answer to its question',
      ],
      ['no webhook', { ...good, deliveries: [deliveries[0]!] }, 'job_1 had no webhook'],
      [
        'a webhook that tells another result',
        { ...good, deliveries: [deliveries[0]!, changedEvent()] },
        'the webhook of job_1 tells of another result',
      ],
      [
        'two events for one job',
        { ...good, deliveries: [...deliveries, { ...deliveries[1]!, id: 'evt_9' }] },
        'job_1 had webhooks with different ids',
      ],
      [
        'a bad signature',
        { ...good, deliveries: [...deliveries, { id: '', isVerified: false, event: undefined }] },
        '1 webhooks did not verify',
      ],
      [
        'a webhook of a stranger',
        { ...good, deliveries: [...deliveries, deliveryOf(jobOf(7))] },
        "a webhook tells of 'job_7', which was not submitted",
      ],
    ])('%s', (_, run, fault) => {
      expect(audit(run)).toEqual([fault])
    })

    test('one job for two submissions', () => {
      const twice = { ...good, ids: ['job_0', 'job_0'], jobs: [jobOf(0), jobOf(0)] }
      expect(audit(twice)).toContain('two submissions were answered with the same job')
    })
  })
})
