import type { Endpoint } from '../../src/domain/endpoint.ts'

const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }
/** As OpenAI answers, and those who copy it. */
export const chat = (finish_reason: unknown, message: object) => ({
  ...{ id: 'c1', object: 'chat.completion', created: 1, model: 'm', usage },
  choices: [{ index: 0, finish_reason, message: { role: 'assistant', ...message } }],
})
const cutCall = [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"city": "Par' } }]
const claude = (stop_reason: unknown, content: readonly object[]) => ({
  ...{
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content,
    stop_reason,
    stop_sequence: null,
  },
  usage: { input_tokens: 5, output_tokens: 2 },
})
const gemini = (
  finishReason: string | undefined,
  parts: readonly object[] | undefined,
  more: object = {},
) => ({
  candidates: [{ content: { role: 'model', ...(parts && { parts }) }, finishReason, index: 0, ...more }],
  usageMetadata: { promptTokenCount: 5, totalTokenCount: 5 },
})
const cohere = (finish_reason: string, text: string) => ({
  ...{
    id: 'c1',
    finish_reason,
    message: { role: 'assistant', content: text ? [{ type: 'text', text }] : [] },
  },
  usage: { tokens: { input_tokens: 5, output_tokens: 2 } },
})
const bedrock = (stopReason: string, content: readonly object[]) => ({
  ...{ output: { message: { role: 'assistant', content } }, stopReason, metrics: { latencyMs: 1 } },
  usage: { inputTokens: 5, outputTokens: 2, totalTokens: 7 },
})
const text = [{ text: 'Hi' }]

export type Vendor = 'openai' | 'anthropic' | 'google' | 'cohere' | 'bedrock' | 'mistral'
type Case = [
  name: string,
  vendor: Vendor,
  endpoint: Endpoint,
  reply: unknown,
  verdicts: string,
  end: string,
  holds?: object,
]
const chats: Endpoint = '/v1/chat/completions'
const messages: Endpoint = '/v1/messages'
const spoiled = ['malformed ok', 'succeeded']

export const cases: readonly Case[] = [
  [
    'tool arguments cut off',
    'openai',
    messages,
    chat('length', { content: null, tool_calls: cutCall }),
    'ok',
    'succeeded',
    { stop_reason: 'max_tokens', content: [{ type: 'tool_use', name: 'f', input: {} }] },
  ],
  [
    'tool arguments cut off',
    'openai',
    chats,
    chat('length', { content: null, tool_calls: cutCall }),
    'ok',
    'succeeded',
  ],
  [
    'tool arguments that are no JSON',
    'openai',
    chats,
    chat('tool_calls', { content: null, tool_calls: cutCall }),
    'ok',
    'succeeded',
    { choices: [{ message: { tool_calls: cutCall } }] },
  ],
  [
    'tool arguments that are no JSON',
    'openai',
    messages,
    chat('tool_calls', { content: null, tool_calls: cutCall }),
    ...(spoiled as [string, string]),
  ],
  [
    'null said',
    'openai',
    messages,
    chat('stop', { content: null }),
    'ok',
    'succeeded',
    { stop_reason: 'end_turn' },
  ],
  [
    'all text in the reasoning',
    'openai',
    chats,
    chat('stop', { content: null, reasoning_content: 'Hm' }),
    'ok',
    'succeeded',
  ],
  [
    'all text in the reasoning',
    'openai',
    messages,
    chat('stop', { content: null, reasoning_content: 'Hm' }),
    'ok',
    'succeeded',
  ],
  [
    'an invented word',
    'openai',
    messages,
    chat('eos_reached', { content: 'Hi' }),
    'ok',
    'succeeded',
    { stop_reason: 'end_turn' },
  ],
  [
    'no word',
    'openai',
    messages,
    chat(null, { content: 'Hi' }),
    'ok',
    'succeeded',
    { content: [{ type: 'text', text: 'Hi' }] },
  ],
  ['no choices', 'openai', messages, { ...chat('stop', {}), choices: [] }, ...(spoiled as [string, string])],
  ['a failure', 'openai', messages, chat('error', { content: 'Hal' }), 'transient ok', 'succeeded'],
  [
    'nothing said',
    'anthropic',
    chats,
    claude('end_turn', []),
    'ok',
    'succeeded',
    { choices: [{ finish_reason: 'stop' }] },
  ],
  ['nothing said', 'anthropic', messages, claude('end_turn', []), 'ok', 'succeeded', { content: [] }],
  [
    'a block that nobody knows',
    'anthropic',
    chats,
    claude('end_turn', [{ type: 'hologram' }]),
    'untranslatable',
    'untranslatable_answer',
  ],
  [
    'no parts at the limit',
    'google',
    messages,
    gemini('MAX_TOKENS', undefined),
    'ok',
    'succeeded',
    { stop_reason: 'max_tokens' },
  ],
  [
    'a spoiled call',
    'google',
    chats,
    gemini('MALFORMED_FUNCTION_CALL', undefined, { finishMessage: 'Malformed' }),
    ...(spoiled as [string, string]),
  ],
  [
    'a filtered answer',
    'google',
    chats,
    gemini('SAFETY', undefined),
    'refused',
    'succeeded',
    { choices: [{ finish_reason: 'content_filter' }] },
  ],
  [
    'a recitation',
    'google',
    messages,
    gemini('RECITATION', undefined),
    'refused',
    'succeeded',
    { stop_reason: 'refusal' },
  ],
  [
    'a blocked prompt',
    'google',
    chats,
    { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata: {} },
    'refused',
    'succeeded',
    { choices: [{ finish_reason: 'content_filter' }] },
  ],
  [
    'a blocked prompt for no reason told',
    'google',
    chats,
    { promptFeedback: { blockReason: 'OTHER' } },
    'refused',
    'succeeded',
  ],
  [
    'no candidates',
    'google',
    chats,
    { usageMetadata: { promptTokenCount: 5 } },
    ...(spoiled as [string, string]),
  ],
  [
    'another reason, with text',
    'google',
    chats,
    gemini('OTHER', text),
    'ok',
    'succeeded',
    { choices: [{ message: { content: 'Hi' } }] },
  ],
  [
    'another reason, with nothing',
    'google',
    chats,
    gemini('OTHER', undefined),
    ...(spoiled as [string, string]),
  ],
  [
    'an image',
    'google',
    chats,
    gemini('STOP', [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }]),
    'untranslatable',
    'untranslatable_answer',
  ],
  ['an end with an error', 'cohere', chats, cohere('ERROR', ''), 'transient ok', 'succeeded'],
  ['a timeout', 'cohere', chats, cohere('TIMEOUT', 'Ha'), 'transient ok', 'succeeded'],
  ['nothing said', 'cohere', messages, cohere('COMPLETE', ''), 'ok', 'succeeded'],
  [
    'a guardrail',
    'bedrock',
    chats,
    bedrock('guardrail_intervened', [{ text: 'Sorry.' }]),
    'refused',
    'succeeded',
  ],
  [
    'a spoiled output',
    'bedrock',
    chats,
    bedrock('malformed_model_output', []),
    ...(spoiled as [string, string]),
  ],
  ['nothing said', 'bedrock', chats, bedrock('end_turn', []), 'ok', 'succeeded'],
  [
    'the length of the model',
    'mistral',
    messages,
    chat('model_length', { content: 'Hi' }),
    'ok',
    'succeeded',
    { stop_reason: 'max_tokens' },
  ],
  ['an end with an error', 'mistral', chats, chat('error', { content: 'Hal' }), 'transient ok', 'succeeded'],
]
