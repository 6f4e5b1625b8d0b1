import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { webhookEvents } from '../../../src/api/openapi/webhook-events.ts'
import {
  batchEvent,
  type EndedBatch,
  type FinishedJobView,
  jobEvent,
  type NotedBatch,
  noticeEvent,
  type WebhookEvent,
} from '../../../src/webhooks/event.ts'
import { signedHeaders } from '../../../src/webhooks/sign.ts'
import { field, file, postForm } from '../forms.ts'
import { call, chat, endJob, failure, openTestApi, submitJob, type TestApi } from '../test-api.ts'
import type { Document } from './document.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

test('the description has each event, with what is sent beside it', async () => {
  const document: Document = (await call(api, 'GET', '/openapi.json')).json
  expect(Object.keys(document.webhooks)).toEqual(Object.keys(webhookEvents))
  const sent = signedHeaders({ id: 'evt_1', timestampSec: 1, body: '{}', secrets: ['whsec_YWJj'] })
  for (const [type, { post }] of Object.entries(document.webhooks)) {
    expect(post.parameters!.map(({ name }) => name)).toEqual(Object.keys(sent))
    const { $ref } = post.requestBody!.content['application/json']!.schema
    const named = document.components.schemas[$ref!.replace('#/components/schemas/', '')]
    expect([type, named!.properties!.type!.const]).toEqual([type, type])
  }
})

describe('what is sent has the fields that are described, and no others', () => {
  const matches = ({ type, json }: WebhookEvent): void => {
    const event = JSON.parse(json)
    expect(webhookEvents[type].schema.parse(event)).toEqual(event)
  }
  /** What is said of a batch in the one event that comes before its end. */
  const notices = (id: string, since: unknown, view: object | null): NotedBatch[] => {
    const common = { id, noticeId: `${id}-1`, sinceMs: 1_000, view }
    const at = { since, estimated_completion_at: since }
    const blocked = { reason: 'bad_credentials', message: 'no', provider: 'p', model: 'm', since }
    return [
      { ...common, type: 'batch.blocked', why: { blocked } },
      {
        ...common,
        type: 'batch.at_risk',
        why: { warning: { code: 'deadline_at_risk', message: 'late', ...at } },
      },
    ]
  }
  const ends = (id: string, view: object): EndedBatch[] =>
    (['completed', 'failed', 'expired', 'cancelled'] as const).map(status => ({
      ...{ id, status, endedAtMs: 1_000 },
      view,
    }))

  it('jobs', async () => {
    const { id } = await submitJob(api)
    await endJob(api, id, failure)
    const view: FinishedJobView = (await call(api, 'GET', `/v1/jobs/${id}`)).json
    for (const status of ['succeeded', 'failed', 'cancelled', 'expired'] as const)
      matches(jobEvent({ ...view, status }))
    matches(jobEvent({ ...view, metadata: { a: 'x'.repeat(20_000) } } as FinishedJobView))
  })

  it('batches', async () => {
    const { json } = await postForm(api, '/v1/files', [field('purpose', 'batch'), file('{}\n')])
    const body = { input_file_id: json.id, endpoint: '/v1/chat/completions', completion_window: '24h' }
    const view = (await call(api, 'POST', '/v1/batches', { body })).json
    for (const end of ends(view.id, view)) matches(batchEvent(end))
    for (const notice of [...notices(view.id, 1, view), ...notices(view.id, 1, null)])
      matches(noticeEvent(notice))
    matches(batchEvent(ends(view.id, { ...view, metadata: { a: 'x'.repeat(20_000) } })[0]!))
  })

  it('message batches', async () => {
    const body = { requests: [{ custom_id: 'a', params: { ...chat(), max_tokens: 1 } }] }
    const view = (await call(api, 'POST', '/v1/messages/batches', { body })).json
    for (const end of ends(view.id, view)) matches(batchEvent(end))
    for (const notice of notices(view.id, '2026-01-01T00:00:00.000000Z', view)) matches(noticeEvent(notice))
  })
})
