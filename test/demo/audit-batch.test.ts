import { describe, expect, test } from 'vitest'
import type { Deliveries } from '../../demo/audit.ts'
import { auditBatch, type BatchEvidence } from '../../demo/audit-batch.ts'
import { answerTo, lineName } from '../../demo/workload.ts'
import type { BatchView } from '../../src/batches/view.ts'

const counts = { total: 2, completed: 2, failed: 0 }
const batch: BatchView = {
  id: 'batch_1',
  object: 'batch',
  endpoint: '/v1/chat/completions',
  model: null,
  errors: null,
  input_file_id: 'file-1',
  completion_window: '1h',
  status: 'completed',
  output_file_id: 'file-2',
  error_file_id: null,
  created_at: 1,
  in_progress_at: 1,
  expires_at: 3,
  finalizing_at: 2,
  completed_at: 2,
  failed_at: null,
  expired_at: null,
  cancelling_at: null,
  cancelled_at: null,
  request_counts: counts,
  usage: {
    input_tokens: 2,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 2,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 4,
  },
  metadata: null,
  providers: { primary: 1, backup: 1 },
  cost_usd: null,
  max_cost_usd: null,
  retry_of: null,
  blocked: null,
  estimated_completion_at: null,
  warning: null,
  webhook: null,
}

const outputLine = (index: number, text = answerTo(lineName(index))): string =>
  `${JSON.stringify({
    custom_id: lineName(index),
    response: { status_code: 200, body: { choices: [{ message: { content: text } }] } },
  })}\n`

const delivery: Deliveries[number] = {
  id: 'evt_1',
  isVerified: true,
  event: { type: 'batch.completed', data: { id: 'batch_1', request_counts: counts } },
}

const good: BatchEvidence = { lines: 2, batch, output: outputLine(1) + outputLine(0) }

describe("the demo's audit of a batch", () => {
  test('a batch that kept every promise has no faults, in whatever order its output is', () => {
    expect(auditBatch(good, [delivery, delivery])).toEqual([])
  })

  describe('a batch with a broken promise has a fault', () => {
    const withBatch = (changed: Partial<BatchView>): BatchEvidence => ({
      ...good,
      batch: { ...batch, ...changed },
    })
    const miscounted = { total: 2, completed: 1, failed: 0 }
    const told = (type: string, request_counts: object): Deliveries => [
      { ...delivery, event: { type, data: { id: 'batch_1', request_counts } } },
    ]
    test.each<[string, BatchEvidence, Deliveries, string]>([
      ['a line left out', { ...good, output: outputLine(0) }, [delivery], 'line-2 has 0 output lines'],
      [
        'a line answered twice',
        { ...good, output: good.output + outputLine(1) },
        [delivery],
        'line-2 has 2 output lines',
      ],
      [
        'another answer',
        { ...good, output: outputLine(0) + outputLine(1, 'echo: x') },
        [delivery],
        'line-2 has not the answer to its question',
      ],
      [
        'a line of another file',
        { ...good, output: good.output + outputLine(6) },
        [delivery],
        "'line-7' in the output is none of the input",
      ],
      [
        'an end that is not its own',
        withBatch({ status: 'expired' }),
        told('batch.expired', counts),
        'the batch is expired',
      ],
      [
        'counts that do not add up',
        withBatch({ request_counts: miscounted }),
        told('batch.completed', miscounted),
        'the batch counts {"total":2,"completed":1,"failed":0} for 2 lines',
      ],
      [
        'answers of nobody',
        withBatch({ providers: { primary: 1 } }),
        [delivery],
        'the providers are said to have answered 1 of 2 lines',
      ],
      ['no webhook', good, [], 'batch_1 had no webhook'],
      [
        'a webhook that tells another end',
        good,
        told('batch.failed', counts),
        'the webhook of the batch tells of another end',
      ],
    ])('%s', (_, evidence, deliveries, fault) => {
      expect(auditBatch(evidence, deliveries)).toEqual([fault])
    })
  })
})
