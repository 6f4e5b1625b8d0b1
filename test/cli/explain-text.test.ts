import { describe, expect, test } from 'vitest'
import { explainText } from '../../src/cli/explain-text.ts'
import type { ProviderState } from '../../src/cli/operator-client.ts'
import type { Attempt, JobMove } from '../../src/domain/job.ts'
import type { JobView } from '../../src/jobs/view.ts'

const start = Date.UTC(2025, 11, 6, 5, 46, 40) / 1_000
const openai = { provider: 'openai', model: 'gpt-4' }
const claude = { provider: 'anthropic', model: 'claude' }

const job = (more: Partial<JobView>): JobView => ({
  id: 'job_1',
  object: 'job',
  status: 'succeeded',
  endpoint: '/v1/chat/completions',
  model: 'gpt-4',
  provider: 'anthropic',
  upstream_model: 'claude',
  batch_id: null,
  priority: 'default',
  retry_of: null,
  created_at: start,
  started_at: start + 1,
  finished_at: start + 3,
  expires_at: start + 86_400,
  resumes_at: null,
  estimated_completion_at: null,
  attempts: [],
  error: null,
  usage: null,
  cost_usd: null,
  webhook: null,
  metadata: {},
  ...more,
})

const call = (seconds: number, more: Partial<Attempt> = {}): Attempt => ({
  hop: 0,
  ...openai,
  started_at: start + seconds,
  duration_ms: 41,
  status_code: 200,
  verdict: 'ok',
  reason: 'ok',
  possibly_billed: false,
  ...more,
})
const answer = (seconds: number) => call(seconds, { hop: 1, ...claude, duration_ms: 1_890 })
const throttled = call(1, {
  status_code: 429,
  verdict: 'rate_limited',
  reason: 'slow_down',
  retry_after_ms: 20_000,
})
const failed = (seconds: number) =>
  call(seconds, { status_code: 500, verdict: 'transient', reason: 'http_500' })
const move = (
  kind: JobMove['kind'],
  seconds: number,
  reason: string,
  more: Partial<JobMove> = {},
): JobMove => ({
  kind,
  at: start + seconds,
  hop: 0,
  ...openai,
  reason,
  ...more,
})

const standing = (more: Partial<ProviderState> = {}): ProviderState => ({
  name: 'openai',
  type: 'openai',
  models: ['gpt-4'],
  state: 'healthy',
  since: null,
  until: null,
  reason: null,
  share: 1,
  queue: { waiting: 3, active: 1 },
  entries: [],
  workers: [{ instance: 'w', calls_in_flight: 1, concurrency: 50 }],
  without_worker_since: null,
  ...more,
})

const told = (more: Partial<JobView>) => explainText(job(more), null, 0).steps.map(({ text }) => text)
const ended = 'succeeded, answered by anthropic/claude, after 2 calls and 3 s'

describe('the text of baton explain', () => {
  describe('what happened', () => {
    test('a job from its acceptance to its webhook, with times', () => {
      const webhook = { url: 'https://example.test/hook', status: 'delivered', attempts: 2 }
      const { steps, waits } = explainText(
        job({ attempts: [throttled, answer(1.1)], webhook, cost_usd: 0.00031 }),
        null,
        0,
      )
      expect(steps).toEqual([
        {
          at: start,
          text: 'accepted for gpt-4 (/v1/chat/completions), to be answered by 2025-12-07 05:46:40 UTC',
        },
        {
          at: start + 1,
          text: 'asked openai/gpt-4: 429 after 41 ms, it throttles (rate_limited: slow_down); its key is left alone there until 05:47:01.041; handed over to anthropic/claude',
        },
        { at: start + 1.1, text: 'asked anthropic/claude: 200 after 1.9 s, it answered' },
        { at: start + 3, text: `${ended}, for $0.00031` },
        { at: start + 3, text: 'webhook delivered after 2 attempts: https://example.test/hook' },
      ])
      expect(waits).toBeNull()
    })

    test.each<[string, Partial<JobView>, string[]]>([
      [
        'a failure is tried again before the handover',
        { attempts: [failed(1), failed(1.3), answer(1.4)] },
        [
          'asked openai/gpt-4: 500 after 41 ms, a failure that may pass (transient: http_500); tried again there',
          'asked openai/gpt-4: 500 after 41 ms, a failure that may pass (transient: http_500); handed over to anthropic/claude',
          'asked anthropic/claude: 200 after 1.9 s, it answered',
          'succeeded, answered by anthropic/claude, after 3 calls and 3 s',
        ],
      ],
      [
        'an answer that another job was given',
        { cache: 'hit', cost_usd: 0, moves: [move('parked', 1, 'identical_request', { until: start + 16 })] },
        [
          'another job asks the same: parked until that is answered, or 05:46:56',
          "succeeded, with another job's answer, given by anthropic/claude, after 0 calls and 3 s, for $0",
        ],
      ],
      [
        'a handover without a call',
        { attempts: [answer(1.4)], moves: [move('skipped', 1, 'down')] },
        [
          'passed over openai/gpt-4 without a call, which is down after failures; sent on to anthropic/claude',
          'asked anthropic/claude: 200 after 1.9 s, it answered',
          'succeeded, answered by anthropic/claude, after 1 call and 3 s',
        ],
      ],
      [
        'a job whose first two targets were out of use when it came',
        {
          attempts: [answer(1.4)],
          moves: [move('skipped', 0, 'down'), move('skipped', 0, 'stopped', { provider: 'local' })],
        },
        [
          'passed over openai/gpt-4 without a call, which is down after failures',
          'passed over local/gpt-4 without a call, of which the key or the model is stopped; sent on to anthropic/claude',
          'asked anthropic/claude: 200 after 1.9 s, it answered',
          'succeeded, answered by anthropic/claude, after 1 call and 3 s',
        ],
      ],
      [
        'a job that parked, and went on elsewhere',
        {
          attempts: [throttled, answer(22)],
          moves: [
            move('parked', 1.05, 'throttled', { until: start + 21 }),
            move('skipped', 21.5, 'paused', { hop: 0 }),
          ],
        },
        [
          'asked openai/gpt-4: 429 after 41 ms, it throttles (rate_limited: slow_down); its key is left alone there until 05:47:01.041',
          'no target could serve: parked until 05:47:01 for openai/gpt-4, which throttles',
          'passed over openai/gpt-4 without a call, which an operator has paused; sent on to anthropic/claude',
          'asked anthropic/claude: 200 after 1.9 s, it answered',
          ended,
        ],
      ],
      [
        'a worker that was lost',
        {
          ...{ provider: 'openai', upstream_model: 'gpt-4' },
          attempts: [
            call(1, {
              ...{ duration_ms: null, status_code: null, verdict: null },
              ...{ reason: 'worker_lost', possibly_billed: true },
            }),
            call(17),
          ],
        },
        [
          'asked openai/gpt-4: its worker fell silent, and the job was taken from it; it may be billed all the same; called again there',
          'asked openai/gpt-4: 200 after 41 ms, it answered',
          'succeeded, answered by openai/gpt-4, after 2 calls and 3 s',
        ],
      ],
      [
        'a key that is no good, and then nobody',
        {
          status: 'failed',
          attempts: [
            call(1, { status_code: 401, verdict: 'bad_credentials', reason: 'invalid_api_key' }),
            call(2, { ...claude, hop: 1, status_code: 400, verdict: 'rejected', reason: 'bad_request' }),
          ],
          error: { code: 'upstream_rejected', message: 'The request itself is at fault.' },
        },
        [
          'asked openai/gpt-4: 401 after 41 ms, it does not take the key (bad_credentials: invalid_api_key); the key is stopped; handed over to anthropic/claude',
          'asked anthropic/claude: 400 after 41 ms, it found fault with the request (rejected: bad_request)',
          'failed after 2 calls and 3 s: The request itself is at fault. (upstream_rejected)',
        ],
      ],
      [
        'a job that was cancelled before any call',
        { status: 'cancelled', error: { code: 'cancelled', message: 'A client cancelled it.' } },
        ['cancelled after 0 calls and 3 s: A client cancelled it. (cancelled)'],
      ],
      [
        'a refusal that is the result',
        { refused: true, attempts: [throttled, { ...answer(1.1), verdict: 'refused', reason: 'refusal' }] },
        [
          'asked openai/gpt-4: 429 after 41 ms, it throttles (rate_limited: slow_down); its key is left alone there until 05:47:01.041; handed over to anthropic/claude',
          'asked anthropic/claude: 200 after 1.9 s, it refused the content (refused: refusal)',
          'succeeded, with a refusal by anthropic/claude, after 2 calls and 3 s',
        ],
      ],
      [
        'a call without an answer',
        {
          attempts: [
            call(1, { status_code: null, duration_ms: 12_000, verdict: 'transient', reason: 'timeout' }),
            answer(14),
          ],
        },
        [
          'asked openai/gpt-4: no answer after 12.0 s, a failure that may pass (transient: timeout); handed over to anthropic/claude',
          'asked anthropic/claude: 200 after 1.9 s, it answered',
          ended,
        ],
      ],
      [
        'a reason that this version does not know',
        { attempts: [answer(2)], moves: [move('skipped', 1, 'abducted')] },
        [
          'passed over openai/gpt-4 without a call, abducted; sent on to anthropic/claude',
          'asked anthropic/claude: 200 after 1.9 s, it answered',
          'succeeded, answered by anthropic/claude, after 1 call and 3 s',
        ],
      ],
    ])('%s', (_, more, expected) => {
      expect(told(more).slice(1)).toEqual(expected)
    })

    test('a job of less than a second', () => {
      expect(told({ finished_at: start, attempts: [answer(0)] }).at(-1)).toBe(
        'succeeded, answered by anthropic/claude, after 1 call and a moment',
      )
    })

    test.each([
      [{ batch_id: 'batch_9' }, 'accepted for gpt-4 (/v1/chat/completions), a line of batch_9, to be'],
      [{ retry_of: 'job_0' }, 'accepted for gpt-4 (/v1/chat/completions), a retry of job_0, to be'],
    ])('where it came from: %j', (more, text) => {
      expect(told(more)[0]).toContain(text)
    })
  })

  describe('what a live job waits for', () => {
    const live = { provider: 'openai', upstream_model: 'gpt-4', finished_at: null }
    test.each<[string, Partial<JobView>, ProviderState | null, string]>([
      ['a place in the queue', { status: 'queued' }, standing(), 'in the queue of openai, where 3 jobs wait'],
      [
        'a worker',
        { status: 'queued' },
        standing({ workers: [], queue: { waiting: 1, active: 0 } }),
        'in the queue of openai, where 1 job waits; no worker of openai is running',
      ],
      ['an answer', { status: 'running' }, standing(), 'a worker of openai has it, for openai/gpt-4'],
      [
        'its provider to come back',
        { status: 'parked', resumes_at: start + 30 },
        standing({ state: 'down', until: start + 25, reason: 'http_503' }),
        'parked until 05:47:10 (in 20 s) for openai/gpt-4; openai is down until 05:47:05 (http_503)',
      ],
      [
        'a provider that this config does not know',
        { status: 'parked', resumes_at: start + 5 },
        null,
        'parked until 05:46:45 (in 0 s) for openai/gpt-4',
      ],
    ])('%s', (_, more, provider, text) => {
      const { waits, steps } = explainText(job({ ...live, ...more }), provider, (start + 10) * 1_000)
      expect(waits).toBe(text)
      expect(steps).toHaveLength(1)
    })

    test('a call whose handover is on its way', () => {
      const steps = told({ status: 'queued', finished_at: null, attempts: [throttled] })
      expect(steps.at(-1)).toMatch(/; handed over to anthropic\/claude$/)
    })
  })
})
