import { describe, expect, test } from 'vitest'
import { type ClassifyContext, classify } from '../../src/domain/classify.ts'
import type { UpstreamAnswer } from '../../src/domain/upstream.ts'
import {
  anthropic,
  anthropicError,
  anthropicFails,
  chat,
  completions,
  embeddings,
  html,
  json,
  message,
  openai,
  openaiFails,
  raw,
  response,
  responses,
  says,
  verdictOf,
} from './classify-outcomes.ts'

type Row = [name: string, answer: UpstreamAnswer, verdict: string]

/** Every row also holds that an answer the job can use is not marked as lost money, and any other 2xx is. */
const table = (title: string, context: ClassifyContext, rows: readonly Row[]) =>
  describe(title, () => {
    test.each(rows)('%s', (_name, answer, verdict) => {
      expect(verdictOf(answer, context)).toBe(verdict)
      expect(classify(answer, context).possiblyBilled).toBe(!/^(ok|refused)\//.test(verdict))
    })
  })

const tool = { type: 'function', id: 'call_1', function: { name: 'f', arguments: '{}' } }
const text = [{ type: 'text', text: 'Hi' }]

table('chat completions', openai, [
  ['stop', json(200, chat('stop', says('Hi'))), 'ok/stop'],
  ['201 too', json(201, chat('stop', says('Hi'))), 'ok/stop'],
  ['length is a success with a flag', json(200, chat('length', says('Hi'))), 'ok/length'],
  ['length with nothing said', json(200, chat('length', says(null))), 'ok/length'],
  ['tool calls', json(200, chat('tool_calls', { ...says(null), tool_calls: [tool] })), 'ok/tool_calls'],
  [
    'function call',
    json(200, chat('function_call', { ...says(null), function_call: tool.function })),
    'ok/function_call',
  ],
  ['audio', json(200, chat('stop', { ...says(null), audio: { id: 'a', data: '' } })), 'ok/stop'],
  ['content parts', json(200, chat('stop', says(text))), 'ok/stop'],
  ['no finish reason', json(200, chat(null, says('Hi'))), 'ok/ok'],
  ['a model that said nothing', json(200, chat('stop', says(''))), 'ok/stop'],
  ['content filter', json(200, chat('content_filter', says(null))), 'refused/content_filter'],
  [
    'content filter without a message',
    json(200, chat('content_filter', undefined)),
    'refused/content_filter',
  ],
  ['refusal', json(200, chat('stop', { ...says(null), refusal: 'I cannot.' })), 'refused/refusal'],
  ['no choices', json(200, { choices: [] }), 'transient/empty'],
  ['choices missing', json(200, {}), 'transient/empty'],
  ['no message', json(200, chat('stop', undefined)), 'transient/empty'],
  ['no content', json(200, chat('stop', says(null))), 'transient/empty'],
  [
    'tool calls promised but absent',
    json(200, chat('tool_calls', { ...says(null), tool_calls: [] })),
    'transient/empty',
  ],
  ['a body of another format', json(200, message('end_turn', text)), 'transient/empty'],
])

table('a 2xx that is not JSON', openai, [
  ['empty', raw(200, ' \n'), 'transient/empty'],
  ['204', raw(204, ''), 'transient/empty'],
  ['truncated', raw(200, '{"id":"chatcmpl-1","choices":[{"ind'), 'transient/not_json'],
  ['a portal', html(200), 'transient/not_json'],
  ['a bare value', json(200, 42), 'transient/unusable'],
  ['an array', json(200, []), 'transient/unusable'],
])

const failedChoice = {
  choices: [
    { finish_reason: 'error', error: { code: 502, message: 'Upstream error' }, message: says('Hal') },
  ],
}

table('a 200 that carries an error', openai, [
  ['OpenRouter 429', json(200, { error: { code: 429, message: 'Rate limited' } }), 'rate_limited/http_429'],
  [
    'OpenRouter 502',
    json(200, { error: { code: 502, message: 'Provider returned error' } }),
    'transient/http_502',
  ],
  [
    'OpenRouter 402',
    json(200, { error: { code: 402, message: 'Insufficient credits' } }),
    'out_of_quota/insufficient_quota',
  ],
  ['OpenRouter 400', json(200, { error: { code: 400, message: 'No.' } }), 'rejected/http_400'],
  ['OpenRouter within a choice', json(200, failedChoice), 'transient/http_502'],
  ['a code', openaiFails(200, 'context_length_exceeded'), 'too_long/context_length_exceeded'],
  ['a type that blames the request', openaiFails(200, null), 'rejected/invalid_request_error'],
  ['an unknown code', openaiFails(200, 'odd', 'odd'), 'transient/odd'],
  ['plain text', json(200, { error: 'out of memory' }), 'transient/http_500'],
  ['nothing in it', json(200, { error: {}, ...chat('stop', says('Hi')) }), 'ok/stop'],
])

const stream = (event: string) =>
  raw(200, `event: message_start\ndata: {"type":"message_start"}\n\n${event}\n\n`)
const sseError = (type: string) => `event: error\ndata: ${JSON.stringify(anthropicError(type, 'No.'))}`

table('messages', anthropic, [
  ['end_turn', json(200, message('end_turn', text)), 'ok/end_turn'],
  ['stop_sequence', json(200, message('stop_sequence', text)), 'ok/stop_sequence'],
  ['max_tokens', json(200, message('max_tokens', [])), 'ok/max_tokens'],
  [
    'window exceeded',
    json(200, message('model_context_window_exceeded', text)),
    'ok/model_context_window_exceeded',
  ],
  [
    'tool_use',
    json(200, message('tool_use', [{ type: 'tool_use', id: 't', name: 'f', input: {} }])),
    'ok/tool_use',
  ],
  ['pause_turn', json(200, message('pause_turn', text)), 'ok/pause_turn'],
  ['refusal', json(200, message('refusal', [])), 'refused/refusal'],
  ['refusal midway', json(200, message('refusal', text)), 'refused/refusal'],
  ['empty content', json(200, message('end_turn', [])), 'transient/empty'],
  ['no content', json(200, message('end_turn', undefined)), 'transient/unusable'],
  ['content of a wrong type', json(200, message('end_turn', 'Hi')), 'transient/unusable'],
  ['an error', anthropicFails(200, 'overloaded_error'), 'overloaded/overloaded_error'],
  ['an error midway in a stream', stream(sseError('overloaded_error')), 'overloaded/overloaded_error'],
  ['a limit midway in a stream', stream(sseError('rate_limit_error')), 'rate_limited/rate_limit_error'],
  ['a fault midway in a stream', stream(sseError('api_error')), 'transient/api_error'],
  ['a broken error in a stream', stream('event: error\ndata: {"type":"err'), 'transient/not_json'],
  ['a stream without an error', stream('event: message_stop'), 'transient/not_json'],
])

const failed = (code: string) => json(200, response('failed', { error: { code, message: 'No.' } }))
const item = (part: unknown) => ({ output: [{ type: 'message', role: 'assistant', content: [part] }] })
const incomplete = (reason: unknown) => json(200, response('incomplete', { incomplete_details: { reason } }))

table('responses', responses, [
  ['completed', json(200, response('completed', item({ type: 'output_text', text: 'Hi' }))), 'ok/completed'],
  ['no status', json(200, { output: [{ type: 'reasoning' }] }), 'ok/ok'],
  ['refusal', json(200, response('completed', item({ type: 'refusal', refusal: 'No.' }))), 'refused/refusal'],
  ['max_output_tokens', incomplete('max_output_tokens'), 'ok/max_output_tokens'],
  ['incomplete without a reason', incomplete(null), 'ok/incomplete'],
  ['content filter', incomplete('content_filter'), 'refused/content_filter'],
  ['completed with nothing', json(200, response('completed')), 'transient/empty'],
  ['still queued', json(200, response('queued')), 'transient/queued'],
  ['cancelled', json(200, response('cancelled')), 'transient/cancelled'],
  ['failed without an error', json(200, response('failed')), 'transient/failed'],
  ['failed server_error', failed('server_error'), 'transient/server_error'],
  ['failed rate_limit_exceeded', failed('rate_limit_exceeded'), 'rate_limited/rate_limit_exceeded'],
  ['failed vector_store_timeout', failed('vector_store_timeout'), 'transient/vector_store_timeout'],
  ['failed invalid_prompt', failed('invalid_prompt'), 'rejected/invalid_prompt'],
  ['failed bio_policy', failed('bio_policy'), 'rejected/bio_policy'],
  ['failed image_too_large', failed('image_too_large'), 'rejected/image_too_large'],
])

table('embeddings', embeddings, [
  ['floats', json(200, { object: 'list', data: [{ index: 0, embedding: [0.1, 0.2] }] }), 'ok/ok'],
  ['base64', json(200, { object: 'list', data: [{ index: 0, embedding: 'AAAA' }] }), 'ok/ok'],
  ['no data', json(200, { object: 'list', data: [] }), 'transient/empty'],
  ['an empty vector', json(200, { object: 'list', data: [{ embedding: [] }] }), 'transient/empty'],
])

table('completions', completions, [
  ['stop', json(200, { choices: [{ text: 'Hi', finish_reason: 'stop' }] }), 'ok/stop'],
  ['length', json(200, { choices: [{ text: '', finish_reason: 'length' }] }), 'ok/length'],
  [
    'content filter',
    json(200, { choices: [{ text: '', finish_reason: 'content_filter' }] }),
    'refused/content_filter',
  ],
  ['no text', json(200, { choices: [{ finish_reason: 'stop' }] }), 'transient/empty'],
  ['no choices', json(200, { choices: [] }), 'transient/empty'],
])
