import { describe, expect, it } from 'vitest'
import type { ErrorAnswer } from '../../../src/domain/classify/error-shape.ts'
import type { StreamedEndpoint } from '../../../src/domain/streaming/answer-fold.ts'
import { errorEvents, nextSequenceNumber } from '../../../src/domain/streaming/error-events.ts'
import { anthropicClients, chatOf, openAiClients, readAll } from './clients.ts'
import { foldText } from './streams.ts'

const answer: ErrorAnswer = { status: 502, code: 'stream_broken', message: 'It broke.', param: null }
const failedWith = (endpoint: StreamedEndpoint, before = ''): string =>
  before + errorEvents(endpoint, answer, 'req_1')

const chunk = (delta: object) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`
const response = {
  id: 'r1',
  object: 'response',
  created_at: 1,
  model: 'm',
  status: 'in_progress',
  output: [],
  error: null,
}
const created = `event: response.created\ndata: ${JSON.stringify({ type: 'response.created', response, sequence_number: 0 })}\n\n`

describe('errorEvents', () => {
  it('have the words of a plain error', () => {
    expect(failedWith('/v1/chat/completions')).toBe(
      'data: {"error":{"message":"It broke.","type":"server_error","param":null,"code":"stream_broken"},"request_id":"req_1"}\n\ndata: [DONE]\n\n',
    )
    expect(failedWith('/v1/messages')).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"It broke.","details":{"error_code":"stream_broken"}},"request_id":"req_1"}\n\n',
    )
  })

  it.each(['/v1/chat/completions', '/v1/completions', '/v1/messages', '/v1/responses'] as const)(
    'are an error to the fold of %s',
    endpoint => {
      const { kinds, fold } = foldText(endpoint, failedWith(endpoint))
      expect(kinds[0]).toBe('error')
      expect(fold.error()).toMatchObject({ error: { message: 'It broke.' } })
    },
  )

  it('end a response that has an id as failed', () => {
    const text = errorEvents('/v1/responses', answer, 'req_1', { response, sequenceNumber: 7 })
    const { kinds, fold } = foldText('/v1/responses', text)
    expect(kinds).toEqual(['error', 'error'])
    expect(fold.error()).toEqual({
      ...response,
      status: 'failed',
      error: { code: 'stream_broken', message: 'It broke.' },
    })
    expect(text.match(/"sequence_number":\d+/g)).toEqual(['"sequence_number":7', '"sequence_number":8'])
  })
})

describe.each(openAiClients)('%s', (_, clientOf) => {
  it('raises from a stream of chat', async () => {
    const client = clientOf(failedWith('/v1/chat/completions', chunk({ role: 'assistant', content: 'a' })))
    const { events, error } = await readAll(
      await client.chat.completions.create({ model: 'm', messages: [], stream: true }),
    )
    expect(events).toHaveLength(1)
    expect(error).toMatchObject({ code: 'stream_broken', type: 'server_error' })
    expect(error?.message).toContain('It broke.')
  })

  it('raises from its own helper of chat', async () => {
    const client = clientOf(failedWith('/v1/chat/completions', chunk({ role: 'assistant', content: 'a' })))
    await expect(
      chatOf(client).completions.stream({ model: 'm', messages: [] }).finalChatCompletion(),
    ).rejects.toThrow('It broke.')
  })

  it('raises from a stream of completions', async () => {
    const stream = clientOf(failedWith('/v1/completions')).completions.create({
      model: 'm',
      prompt: '',
      stream: true,
    })
    expect((await readAll(await stream)).error).toMatchObject({ code: 'stream_broken' })
  })

  it('raises from a stream of Responses', async () => {
    const text = created + errorEvents('/v1/responses', answer, 'req_1', { response, sequenceNumber: 1 })
    const { events, error } = await readAll(
      await clientOf(text).responses.create({ model: 'm', input: '', stream: true }),
    )
    expect(events).toHaveLength(1)
    expect(error).toMatchObject({ code: 'stream_broken' })
    expect(error?.message).toContain('It broke.')
  })
})

describe.each(anthropicClients)('%s', (_, clientOf) => {
  const params = { model: 'm', max_tokens: 1, messages: [] }
  const start = `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message: { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: 1, output_tokens: 1 } } })}\n\n`

  it('raises from a stream', async () => {
    const client = clientOf(failedWith('/v1/messages', start))
    const { events, error } = await readAll(await client.messages.create({ ...params, stream: true }))
    expect(events).toHaveLength(1)
    expect(error).toMatchObject({ error: { error: { type: 'api_error', message: 'It broke.' } } })
  })

  it('raises from its own helper', async () => {
    const helper = clientOf(failedWith('/v1/messages', start)).messages.stream(params)
    await expect(helper.finalMessage()).rejects.toThrow('It broke.')
  })
})

describe('nextSequenceNumber', () => {
  it.each([
    ['', 0],
    ['data: {"type":"response.created","sequence_number":0}\n\n', 1],
    ['data: {"sequence_number":8}\n\ndata: {"sequence_number": 9,"type":"x"}\n\n', 10],
    ['data: {"sequence_number":3,"delta":"\\"sequence_number\\":99"}\n\n', 4],
  ])('after %j: %i', (text, expected) => {
    expect(nextSequenceNumber(text)).toBe(expected)
  })
})
