import { describe, expect, test } from 'vitest'
import { batchEvent, jobEvent } from '../../src/webhooks/event.ts'

const view = {
  id: 'job_01kabc',
  object: 'job',
  status: 'succeeded',
  finished_at: 1765000003,
  response: { status_code: 200, body: { text: 'hi' } },
} as const

const filledWith = (text: string) => ({ ...view, response: { status_code: 200, body: { text } } })

describe('the webhook event', () => {
  test('carries the job as it is shown, under an id derived from the job', () => {
    const event = jobEvent(view)
    expect(event).toMatchObject({ id: 'evt_01kabc', type: 'job.succeeded' })
    expect(JSON.parse(event.json)).toEqual({
      type: 'job.succeeded',
      id: 'evt_01kabc',
      object: 'event',
      created_at: 1765000003,
      timestamp: '2025-12-06T05:46:43Z',
      data: view,
    })
  })

  test.each(['failed', 'cancelled', 'expired'] as const)('a job that %s says so', status => {
    expect(jobEvent({ ...view, status }).type).toBe(`job.${status}`)
  })

  test('gives the same bytes each time', () => {
    expect(jobEvent(view)).toEqual(jobEvent(structuredClone(view)))
  })

  test('is whole up to 20,000 bytes and thin beyond', () => {
    const room = 20_000 - Buffer.byteLength(jobEvent(filledWith('')).json)
    const whole = jobEvent(filledWith('x'.repeat(room)))
    expect(Buffer.byteLength(whole.json)).toBe(20_000)

    const thin = jobEvent(filledWith('x'.repeat(room + 1)))
    expect(JSON.parse(thin.json)).toMatchObject({ id: 'evt_01kabc', created_at: 1765000003 })
    expect(JSON.parse(thin.json).data).toEqual({ id: 'job_01kabc', object: 'job', status: 'succeeded' })
  })

  test('counts bytes, not characters', () => {
    expect(jobEvent(filledWith('ü'.repeat(10_000))).json).not.toContain('ü')
  })

  test('tells of a batch in the words of its own kind of client', () => {
    const event = batchEvent({
      id: 'msgbatch_01kabc',
      status: 'completed',
      endedAtMs: 1765000003_900,
      view: { id: 'msgbatch_01kabc', type: 'message_batch', processing_status: 'ended' },
    })
    expect(event).toMatchObject({ id: 'evt_01kabc', type: 'batch.completed' })
    expect(JSON.parse(event.json)).toEqual({
      type: 'batch.completed',
      id: 'evt_01kabc',
      object: 'event',
      created_at: 1765000003,
      timestamp: '2025-12-06T05:46:43Z',
      data: {
        id: 'msgbatch_01kabc',
        object: 'batch',
        status: 'completed',
        type: 'message_batch',
        processing_status: 'ended',
      },
    })
  })

  test('tells of a batch thinly when it has much to say', () => {
    const view = { metadata: { note: 'x'.repeat(20_000) } }
    const event = batchEvent({ id: 'batch_01k', status: 'expired', endedAtMs: 1_000, view })
    expect(JSON.parse(event.json).data).toEqual({ id: 'batch_01k', object: 'batch', status: 'expired' })
  })
})
