import type { Call, EndedBatch, Evidence } from '../../chaos/audit/evidence.ts'
import type { Life } from '../../chaos/cluster/supervised.ts'
import type { Fault } from '../../chaos/faults/fault-log.ts'
import type { BatchEntry, JobEntry } from '../../chaos/load/ledger.ts'
import { batchFingerprint, jobFingerprint } from '../../chaos/load/watch.ts'
import { answerTo, type JobOrder } from '../../chaos/plan/load.ts'
import type { BatchView } from '../../src/batches/view.ts'
import type { JobView } from '../../src/jobs/view.ts'

export const startMs = 1_800_000_000_000
export const batchId = 'batch_01m7yhrbmazvkynbp63000000f'

const order = (marker: string, more: Partial<JobOrder>): JobOrder => ({
  tenant: 'ant',
  marker,
  fate: 'plain',
  model: 'gpt-4',
  atMs: 0,
  window: '2h',
  webhook: 'kept',
  priority: 'default',
  cancelAfterMs: 0,
  cutsAfterMs: null,
  ...more,
})

export const jobEntry = (marker: string, more: Partial<JobOrder> = {}): JobEntry => ({
  order: order(marker, more),
  id: `job_${marker}`,
  acceptedAtMs: startMs,
  refusal: null,
  stream: null,
  cancel: null,
})

const completion = (marker: string): object => ({
  choices: [{ message: { role: 'assistant', content: answerTo(marker) } }],
})

export const jobView = (marker: string, more: Partial<JobView> = {}): JobView => ({
  id: `job_${marker}`,
  object: 'job',
  status: 'succeeded',
  endpoint: '/v1/chat/completions',
  model: 'gpt-4',
  provider: 'alpha',
  upstream_model: 'gpt-4',
  batch_id: null,
  priority: 'default',
  retry_of: null,
  created_at: startMs / 1_000,
  started_at: startMs / 1_000,
  finished_at: startMs / 1_000 + 1,
  expires_at: startMs / 1_000 + 7_200,
  resumes_at: null,
  estimated_completion_at: null,
  attempts: [
    {
      hop: 0,
      provider: 'alpha',
      model: 'gpt-4',
      started_at: startMs / 1_000,
      duration_ms: 500,
      status_code: 200,
      verdict: 'ok',
      reason: 'ok',
      possibly_billed: false,
    },
  ],
  response: { status_code: 200, body: completion(marker) },
  error: null,
  usage: null,
  cost_usd: null,
  webhook: { url: 'http://127.0.0.1/hook', status: 'delivered', attempts: 1 },
  metadata: { marker },
  ...more,
})

export const call = (marker: string, more: Partial<Call> = {}): Call => ({
  identity: marker,
  caller: 'alpha-1',
  provider: 'alpha',
  outcome: 'ok',
  startedAtMs: startMs,
  endedAtMs: startMs + 500,
  status: 200,
  ...more,
})

export const delivery = (id: string, type: string, data: object) => ({
  id: `evt_${id}`,
  isVerified: true,
  event: { type, data: { id, ...data } },
  status: 200,
  atMs: startMs + 1_500,
})

export const fault = (more: Partial<Fault>): Fault => ({
  kind: 'kill',
  target: 'alpha-1',
  atMs: 0,
  forMs: 1_000,
  number: 1,
  beganAtMs: startMs + 200,
  endedAtMs: startMs + 1_200,
  note: '',
  ...more,
})

const life = (endedAtMs: number): Life => ({
  pid: 1,
  startedAtMs: startMs - 10_000,
  readyAtMs: startMs - 9_000,
  endedAtMs,
  exit: { code: 0, signal: null },
  expected: true,
})

/** Of a process that was killed at that time, started again, and ended when it was asked to. */
export const livesOfKilled = (endedAtMs: number): readonly Life[] => [
  { ...life(endedAtMs), exit: { code: null, signal: 'SIGKILL' } },
  life(startMs + 60_000),
]

export const livesOfCrashed = (more: Partial<Life>): readonly Life[] => [
  { ...life(startMs), exit: { code: 7, signal: null }, expected: false, ...more },
  life(startMs + 60_000),
]

const lineMarkers = ['b1-l1', 'b1-l2', 'b1-l3']

const batchEntry: BatchEntry = {
  order: {
    tenant: 'bee',
    name: 'b1',
    atMs: 0,
    window: '2h',
    lines: lineMarkers.map(marker => ({
      marker,
      fate: marker === 'b1-l3' ? 'rejected' : 'plain',
      model: 'gpt-4',
    })),
    webhook: true,
    cancelAfterMs: null,
  },
  id: batchId,
  acceptedAtMs: startMs,
  cancel: null,
}

export const outputLine = (marker: string): string =>
  `${JSON.stringify({
    custom_id: marker,
    response: { status_code: 200, body: completion(marker) },
    error: null,
  })}\n`

const errorLine = (marker: string): string =>
  `${JSON.stringify({ custom_id: marker, response: { status_code: 400, body: {} }, error: null })}\n`

const endedBatch: EndedBatch = {
  view: {
    id: batchId,
    status: 'completed',
    request_counts: { total: 3, completed: 2, failed: 1 },
    webhook: null,
  } as unknown as BatchView,
  output: outputLine('b1-l1') + outputLine('b1-l2'),
  errors: errorLine('b1-l3'),
}

/** A run of two jobs and a batch of three lines in which every promise was kept. */
export const soundEvidence = (): Evidence => {
  const jobs = new Map(['j1', 'j2'].map(marker => [`job_${marker}`, jobView(marker)]))
  const { response } = jobView('j1')
  return {
    ledger: { jobs: [jobEntry('j1'), jobEntry('j2')], batches: [batchEntry] },
    jobs,
    listed: [...jobs.keys()],
    batches: new Map([[batchId, endedBatch]]),
    sightings: [
      { id: 'job_j1', fingerprint: jobFingerprint(jobView('j1')), bytes: null, atMs: startMs },
      { id: batchId, fingerprint: batchFingerprint(endedBatch.view), bytes: null, atMs: startMs },
    ],
    deliveries: [
      delivery('job_j1', 'job.succeeded', { response }),
      delivery('job_j2', 'job.succeeded', {}),
      delivery(batchId, 'batch.completed', {}),
    ],
    deadLetters: new Set(),
    calls: ['j1', 'j2', ...lineMarkers].map(marker =>
      marker === 'b1-l3' ? call(marker, { outcome: 'bad-request', status: 400 }) : call(marker),
    ),
    faults: [],
    lives: new Map(),
    leftovers: [],
    residentBytes: new Map([['api', 150e6]]),
  }
}
