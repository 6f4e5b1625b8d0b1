import { describe, expect, it } from 'vitest'
import { isCacheable } from '../../src/cache/cacheable-answer.ts'
import type { Endpoint } from '../../src/domain/endpoint.ts'

const said = { content: 'Hi' }
const choice = (finish_reason: unknown, message: object = said) => ({ index: 0, finish_reason, message })
const chat = (...choices: object[]) => ({ choices })
const message = (stop_reason: unknown, ...content: object[]) => ({ stop_reason, content })
const text = { type: 'text', text: 'Hi' }
const response = (status: string, output: object[], reason?: string) => ({
  ...{ status, output },
  ...(reason && { incomplete_details: { reason } }),
})

type Row = readonly [name: string, endpoint: Endpoint, answer: object, isKept: boolean, isKeptCut: boolean]
const rows: readonly Row[] = [
  ['a chat', '/v1/chat/completions', chat(choice('stop')), true, true],
  ['a call', '/v1/chat/completions', chat(choice('tool_calls', { tool_calls: [{}] })), true, true],
  ['a chat at its limit', '/v1/chat/completions', chat(choice('length')), false, true],
  ['a chat with nothing in it', '/v1/chat/completions', chat(choice('stop', { content: '' })), false, false],
  ['a chat with no choice', '/v1/chat/completions', chat(), false, false],
  ['a chat that ends for a new reason', '/v1/chat/completions', chat(choice('repetition')), false, false],
  ['a chat that tells no end', '/v1/chat/completions', chat(choice(null)), false, false],
  ['a filtered chat', '/v1/chat/completions', chat(choice('content_filter')), false, false],
  ['one of two cut', '/v1/chat/completions', chat(choice('stop'), choice('length')), false, true],
  [
    'one of two empty',
    '/v1/chat/completions',
    chat(choice('stop'), choice('stop', { content: null })),
    false,
    false,
  ],
  ['a message', '/v1/messages', message('end_turn', text), true, true],
  ['a message that stops where it was told to', '/v1/messages', message('stop_sequence', text), true, true],
  ['a message at its limit', '/v1/messages', message('max_tokens', text), false, true],
  ['a message at the window', '/v1/messages', message('model_context_window_exceeded', text), false, true],
  ['a message that pauses', '/v1/messages', message('pause_turn', text), false, false],
  ['an empty message', '/v1/messages', message('end_turn'), false, false],
  ['a message of no text', '/v1/messages', message('end_turn', { type: 'text', text: '' }), false, false],
  [
    'a message of thoughts alone',
    '/v1/messages',
    message('end_turn', { type: 'thinking', thinking: 'Hm' }),
    false,
    false,
  ],
  ['a message that ends for a new reason', '/v1/messages', message('tired', text), false, false],
  ['a text', '/v1/completions', { choices: [{ finish_reason: 'stop', text: 'Hi' }] }, true, true],
  ['an empty text', '/v1/completions', { choices: [{ finish_reason: 'stop', text: '' }] }, false, false],
  ['a response', '/v1/responses', response('completed', [{}]), true, true],
  ['an empty response', '/v1/responses', response('completed', []), false, false],
  [
    'a response at its limit',
    '/v1/responses',
    response('incomplete', [{}], 'max_output_tokens'),
    false,
    true,
  ],
  ['a filtered response', '/v1/responses', response('incomplete', [{}], 'content_filter'), false, false],
  ['a response that waits', '/v1/responses', response('queued', [{}]), false, false],
  ['embeddings', '/v1/embeddings', { data: [{ embedding: [1] }] }, true, true],
  ['no embeddings', '/v1/embeddings', { data: [] }, false, false],
]

describe('what the cache keeps', () => {
  it.each(rows)('%s', (_name, endpoint, answer, isKept, isKeptCut) => {
    const body = JSON.stringify(answer)
    expect([isCacheable(endpoint, body, false), isCacheable(endpoint, body, true)]).toEqual([
      isKept,
      isKeptCut,
    ])
  })

  it('is no text that is not JSON', () => expect(isCacheable('/v1/messages', '<html>', true)).toBe(false))
})
