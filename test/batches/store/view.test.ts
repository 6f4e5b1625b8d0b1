import { describe, expect, it } from 'vitest'
import { parseBatch } from '../../../src/batches/record.ts'
import { batchView, messageBatchView } from '../../../src/batches/view.ts'

const fields = {
  id: 'batch_x',
  tenant: 'default',
  dialect: 'openai',
  endpoint: '/v1/chat/completions',
  status: 'completed',
  input_file: 'file-in',
  input: '["g/a 10"]',
  window: '24h',
  created: '1765000000000',
  expires: '1765086400000',
  in_progress_at: '1765000004000',
  finalizing_at: '1765003600000',
  ended_at: '1765003605000',
  total: '3',
  model: 'gpt-x',
  output_file: 'file-out1',
  error_file: 'file-err1',
  output_bytes: '10',
  error_bytes: '0',
  succeeded: '2',
  errored: '1',
  input_tokens: '60',
  output_tokens: '25',
  cost: '1230000',
  'by:openai': '2',
  metadata: '{"job":"nightly"}',
}
const batch = (more: Record<string, string> = {}) => parseBatch({ ...fields, ...more })!

describe('views of a batch', () => {
  it('a batch is shown to OpenAI’s clients with every key of theirs', () => {
    expect(batchView(batch())).toEqual({
      id: 'batch_x',
      object: 'batch',
      endpoint: '/v1/chat/completions',
      model: 'gpt-x',
      errors: null,
      input_file_id: 'file-in',
      completion_window: '24h',
      status: 'completed',
      output_file_id: 'file-out1',
      error_file_id: null,
      created_at: 1765000000,
      in_progress_at: 1765000004,
      expires_at: 1765086400,
      finalizing_at: 1765003600,
      completed_at: 1765003605,
      failed_at: null,
      expired_at: null,
      cancelling_at: null,
      cancelled_at: null,
      request_counts: { total: 3, completed: 2, failed: 1 },
      usage: {
        input_tokens: 60,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 25,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 85,
      },
      metadata: { job: 'nightly' },
      providers: { openai: 2 },
      cost_usd: 0.0123,
      max_cost_usd: null,
      retry_of: null,
      blocked: null,
      estimated_completion_at: null,
      warning: null,
      webhook: null,
    })
  })

  it('output files are named once the batch has ended, and wrong input is told of a failed one alone', () => {
    expect(batchView(batch({ status: 'in_progress' }))).toMatchObject({
      output_file_id: null,
      completed_at: null,
    })
    const fault = { code: 'empty_file', message: 'm', param: null, line: null }
    const failed = batch({ status: 'failed', faults: JSON.stringify([fault]) })
    expect(batchView(failed)).toMatchObject({
      errors: { object: 'list', data: [fault] },
      failed_at: 1765003605,
      completed_at: null,
    })
  })

  const nowMs = 1765003605_000
  const messages = (more: Record<string, string> = {}) =>
    messageBatchView(batch({ dialect: 'anthropic', ...more }), 'https://host', nowMs)

  it('a batch is shown to Anthropic’s clients in theirs', () => {
    expect(messages({ status: 'completed' })).toMatchObject({
      id: 'batch_x',
      type: 'message_batch',
      processing_status: 'ended',
      request_counts: { processing: 0, succeeded: 2, errored: 1, canceled: 0, expired: 0 },
      created_at: '2025-12-06T05:46:40.000000Z',
      ended_at: '2025-12-06T06:46:45.000000Z',
      cancel_initiated_at: null,
      archived_at: null,
      results_url: 'https://host/v1/messages/batches/batch_x/results',
    })
    expect(messages({ status: 'cancelling', cancelling_at: '1765000005000' })).toMatchObject({
      processing_status: 'canceling',
      results_url: null,
      cancel_initiated_at: '2025-12-06T05:46:45.000000Z',
    })
    expect(messages({ status: 'finalizing', errored: '0' })).toMatchObject({
      processing_status: 'in_progress',
      request_counts: { processing: 3, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
      ended_at: null,
    })
  })

  it('results of a message batch are archived after 29 days', () => {
    const later = batch({ dialect: 'anthropic' })
    const view = messageBatchView(later, 'https://host', later.createdAtMs + 29 * 86_400_000)
    expect(view).toMatchObject({ results_url: null, archived_at: '2026-01-04T05:46:40.000000Z' })
  })
})
