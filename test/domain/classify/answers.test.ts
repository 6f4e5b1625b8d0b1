import { describe, expect, test } from 'vitest'
import { type ClassifyContext, classify } from '../../../src/domain/classify/classify.ts'
import type { UpstreamAnswer } from '../../../src/domain/upstream.ts'
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
  openaiError,
  openaiFails,
  raw,
  response,
  responses,
  says,
  verdictOf,
} from './outcomes.ts'

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
const cut = { type: 'function', id: 'call_1', function: { name: 'f', arguments: '{"city": "Par' } }
const text = [{ type: 'text', text: 'Hi' }]
const base = (status_code: number, status_msg: string) => ({
  base_resp: { status_code, status_msg },
  choices: null,
})

describe('classify with answers', () => {
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
    ['no content', json(200, chat('stop', says(null))), 'ok/stop'],
    [
      'tool calls that are cut off',
      json(200, chat('length', { ...says(null), tool_calls: [cut] })),
      'ok/length',
    ],
    [
      'tool calls that are no JSON',
      json(200, chat('tool_calls', { ...says(null), tool_calls: [cut] })),
      'ok/tool_calls',
    ],
    [
      'all text in the reasoning',
      json(200, chat('stop', { ...says(null), reasoning_content: 'Hm' })),
      'ok/stop',
    ],
    ['all text in the reasoning, no word', json(200, chat(null, { ...says(''), reasoning: 'Hm' })), 'ok/ok'],
    ['an invented word with text', json(200, chat('eos_reached', says('Hi'))), 'ok/eos_reached'],
    ['an invented sentence with text', json(200, chat('I am done.', says('Hi'))), 'ok/ok'],
    [
      'an invented word with calls',
      json(200, chat('done', { ...says(null), tool_calls: [tool] })),
      'ok/done',
    ],
    ['an invented word with nothing', json(200, chat('eos_reached', says(null))), 'malformed/eos_reached'],
    ['no word and nothing said', json(200, chat(null, says(''))), 'malformed/empty'],
    ['no word and no message', json(200, chat(null, undefined)), 'malformed/empty'],
    ['no choices', json(200, { choices: [], usage: { total_tokens: 7 } }), 'malformed/empty'],
    ['no message', json(200, chat('stop', undefined)), 'malformed/empty'],
    [
      'tool calls promised but absent',
      json(200, chat('tool_calls', { ...says(null), tool_calls: [] })),
      'malformed/empty',
    ],
    ['Mistral’s length', json(200, chat('model_length', says(null))), 'ok/model_length'],
    ['an end with an error', json(200, chat('error', says('Hal'))), 'transient/error'],
    ['an end with an error, in capitals', json(200, chat('ERROR', says(null))), 'transient/error'],
    ['vLLM’s abort', json(200, chat('abort', says('Hal'))), 'transient/abort'],
    [
      'DeepSeek without resources',
      json(200, chat('insufficient_system_resource', says('Hal'))),
      'overloaded/insufficient_system_resource',
    ],
    ['Zhipu’s network', json(200, chat('network_error', says(''))), 'transient/network_error'],
    ['Zhipu’s filter', json(200, chat('sensitive', says(''))), 'refused/sensitive'],
    [
      'Gemini’s filter in its imitation',
      json(200, chat('content_filter: PROHIBITED_CONTENT', says(null))),
      'refused/content_filter',
    ],
    [
      'Gemini’s spoiled call in its imitation',
      json(200, chat('function_call_filter: MALFORMED_FUNCTION_CALL', says(null))),
      'malformed/function_call_filter',
    ],
    ['choices missing', json(200, {}), 'transient/unusable'],
    ['a body of another format', json(200, message('end_turn', text)), 'transient/unusable'],
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
    ['MiniMax, money', json(200, base(1008, 'insufficient balance')), 'out_of_quota/insufficient_quota'],
    ['MiniMax, rate', json(200, base(1002, 'rate limit')), 'rate_limited/http_429'],
    ['MiniMax, out of order', json(200, base(1000, 'unknown error')), 'transient/http_500'],
    ['MiniMax, well', json(200, { ...chat('stop', says('Hi')), base_resp: { status_code: 0 } }), 'ok/stop'],
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
    ['nothing said', json(200, message('end_turn', [])), 'ok/end_turn'],
    ['nothing said after a stop sequence', json(200, message('stop_sequence', [])), 'ok/stop_sequence'],
    ['only thinking', json(200, message('end_turn', [{ type: 'thinking', thinking: 'Hm' }])), 'ok/end_turn'],
    ['an invented word with text', json(200, message('compaction', text)), 'ok/compaction'],
    ['an invented word with nothing', json(200, message('compaction', [])), 'malformed/compaction'],
    ['no word and nothing', json(200, message(null, [])), 'malformed/empty'],
    ['no word with text', json(200, message(null, text)), 'ok/ok'],
    ['a tool promised but absent', json(200, message('tool_use', [])), 'malformed/empty'],
    ['no content', json(200, message('end_turn', undefined)), 'transient/unusable'],
    ['content of a wrong type', json(200, message('end_turn', 'Hi')), 'transient/unusable'],
    ['an error', anthropicFails(200, 'overloaded_error'), 'overloaded/overloaded_error'],
    ['an error midway in a stream', stream(sseError('overloaded_error')), 'overloaded/overloaded_error'],
    ['a limit midway in a stream', stream(sseError('rate_limit_error')), 'rate_limited/rate_limit_error'],
    ['a fault midway in a stream', stream(sseError('api_error')), 'transient/api_error'],
    [
      'an error in a stream without its name',
      stream(`data: ${JSON.stringify(anthropicError('overloaded_error', 'No.'))}`),
      'overloaded/overloaded_error',
    ],
    ['a broken error in a stream', stream('event: error\ndata: {"type":"err'), 'transient/cut_short'],
    [
      'a whole stream',
      stream('event: message_stop\ndata: {"type":"message_stop"}'),
      'untranslatable/event_stream',
    ],
    ['a stream that is cut short', stream('event: ping\ndata: {"type":"ping"}'), 'transient/cut_short'],
  ])

  const chunk = (choice: object, more: object = {}) =>
    `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [choice], ...more })}\n\n`
  const hal = chunk({ index: 0, delta: { content: 'Hal' }, finish_reason: null })
  const failedChunk = { error: { code: 502, message: 'Provider disconnected' } }

  table('a stream of chunks that nobody asked for', openai, [
    [
      'whole',
      raw(200, `${hal}${chunk({ delta: {}, finish_reason: 'stop' })}data: [DONE]\n\n`),
      'untranslatable/event_stream',
    ],
    [
      'whole, without its last word',
      raw(200, `${hal}${chunk({ delta: {}, finish_reason: 'stop' })}`),
      'untranslatable/event_stream',
    ],
    ['cut short', raw(200, hal), 'transient/cut_short'],
    ['kept alive, and cut short', raw(200, `: OPENROUTER PROCESSING\n\n${hal}`), 'transient/cut_short'],
    [
      'OpenRouter, an error in a chunk',
      raw(200, `${hal}${chunk({ delta: { content: '' }, finish_reason: 'error' }, failedChunk)}`),
      'transient/http_502',
    ],
    [
      'an error in place of the last chunk',
      raw(
        200,
        `${hal}data: ${JSON.stringify(openaiError('rate_limit_exceeded', 'requests'))}\n\ndata: [DONE]\n\n`,
      ),
      'rate_limited/rate_limit_exceeded',
    ],
    [
      'an error as its only event',
      raw(200, `data: ${JSON.stringify(failedChunk)}\n\n`),
      'transient/http_502',
    ],
    [
      'the word error in what is said',
      raw(200, `${chunk({ delta: { content: '"error"' } })}data: [DONE]`),
      'untranslatable/event_stream',
    ],
  ])

  table('a stream of a response that nobody asked for', responses, [
    [
      'failed',
      raw(
        200,
        `event: response.failed\ndata: ${JSON.stringify({ type: 'response.failed', response: { error: { code: 'server_error', message: 'No.' } } })}\n\n`,
      ),
      'transient/server_error',
    ],
    [
      'whole',
      raw(
        200,
        `event: response.completed\ndata: ${JSON.stringify({ type: 'response.completed', response: { error: null } })}\n\n`,
      ),
      'untranslatable/event_stream',
    ],
  ])

  const failed = (code: string) => json(200, response('failed', { error: { code, message: 'No.' } }))
  const item = (part: unknown) => ({ output: [{ type: 'message', role: 'assistant', content: [part] }] })
  const incomplete = (reason: unknown) =>
    json(200, response('incomplete', { incomplete_details: { reason } }))

  table('responses', responses, [
    [
      'completed',
      json(200, response('completed', item({ type: 'output_text', text: 'Hi' }))),
      'ok/completed',
    ],
    ['no status', json(200, { output: [{ type: 'reasoning' }] }), 'ok/ok'],
    [
      'refusal',
      json(200, response('completed', item({ type: 'refusal', refusal: 'No.' }))),
      'refused/refusal',
    ],
    ['max_output_tokens', incomplete('max_output_tokens'), 'ok/max_output_tokens'],
    ['incomplete without a reason', incomplete(null), 'ok/incomplete'],
    ['content filter', incomplete('content_filter'), 'refused/content_filter'],
    ['completed with nothing', json(200, response('completed')), 'ok/completed'],
    ['completed without output', json(200, response('completed', { output: undefined })), 'malformed/empty'],
    ['an invented state with output', json(200, response('done', item({}))), 'ok/done'],
    ['an invented state with nothing', json(200, response('done')), 'malformed/done'],
    ['still queued', json(200, response('queued')), 'untranslatable/queued'],
    ['still in progress', json(200, response('in_progress')), 'untranslatable/in_progress'],
    ['a body of another format', json(200, { id: 'x' }), 'transient/unusable'],
    ['cancelled', json(200, response('cancelled')), 'transient/cancelled'],
    ['failed without an error', json(200, response('failed')), 'transient/failed'],
    ['failed server_error', failed('server_error'), 'transient/server_error'],
    ['failed rate_limit_exceeded', failed('rate_limit_exceeded'), 'rate_limited/rate_limit_exceeded'],
    ['failed vector_store_timeout', failed('vector_store_timeout'), 'transient/vector_store_timeout'],
    ['failed invalid_prompt', failed('invalid_prompt'), 'refused/invalid_prompt'],
    ['failed bio_policy', failed('bio_policy'), 'refused/bio_policy'],
    ['failed image_too_large', failed('image_too_large'), 'rejected/image_too_large'],
  ])

  table('embeddings', embeddings, [
    ['floats', json(200, { object: 'list', data: [{ index: 0, embedding: [0.1, 0.2] }] }), 'ok/ok'],
    ['base64', json(200, { object: 'list', data: [{ index: 0, embedding: 'AAAA' }] }), 'ok/ok'],
    ['no data', json(200, { object: 'list', data: [] }), 'malformed/empty'],
    ['an empty vector', json(200, { object: 'list', data: [{ embedding: [] }] }), 'malformed/empty'],
    ['data missing', json(200, {}), 'transient/unusable'],
  ])

  table('completions', completions, [
    ['stop', json(200, { choices: [{ text: 'Hi', finish_reason: 'stop' }] }), 'ok/stop'],
    ['length', json(200, { choices: [{ text: '', finish_reason: 'length' }] }), 'ok/length'],
    [
      'content filter',
      json(200, { choices: [{ text: '', finish_reason: 'content_filter' }] }),
      'refused/content_filter',
    ],
    ['nothing said', json(200, { choices: [{ text: '', finish_reason: 'stop' }] }), 'ok/stop'],
    ['null said', json(200, { choices: [{ text: null, finish_reason: 'stop' }] }), 'ok/stop'],
    ['no word', json(200, { choices: [{ text: 'Hi' }] }), 'ok/ok'],
    ['no text', json(200, { choices: [{ finish_reason: 'stop' }] }), 'malformed/empty'],
    [
      'an end with an error',
      json(200, { choices: [{ text: 'Ha', finish_reason: 'error' }] }),
      'transient/error',
    ],
    ['no choices', json(200, { choices: [] }), 'malformed/empty'],
    ['a body of another format', json(200, { id: 'x' }), 'transient/unusable'],
  ])
})
