import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/domain/endpoint.ts'
import {
  capabilitiesNeeded,
  leastInputTokens,
  outputAsked,
} from '../../../src/domain/routing/request-needs.ts'

const chat = '/v1/chat/completions'
const messages = '/v1/messages'
const responses = '/v1/responses'
const user = (...content: object[]) => [{ role: 'user', content }]

describe('what a request needs', () => {
  const cases: [name: string, endpoint: Endpoint, body: object, needs: string[]][] = [
    ['text alone needs nothing', chat, { messages: [{ role: 'user', content: 'an image' }] }, []],
    ['an image of OpenAI', chat, { messages: user({ type: 'image_url', image_url: {} }) }, ['vision']],
    ['an image of Anthropic', messages, { messages: user({ type: 'image', source: {} }) }, ['vision']],
    [
      'an image in a tool’s result',
      messages,
      { messages: user({ type: 'tool_result', content: [{ type: 'image' }] }) },
      ['vision'],
    ],
    ['an image of Responses', responses, { input: user({ type: 'input_image' }) }, ['vision']],
    ['a document of Anthropic', messages, { messages: user({ type: 'document' }) }, ['documents']],
    ['a file of OpenAI', chat, { messages: user({ type: 'file' }) }, ['documents']],
    ['sound that goes in', chat, { messages: user({ type: 'input_audio' }) }, ['audio']],
    ['sound that comes out', chat, { modalities: ['text', 'audio'], audio: { voice: 'x' } }, ['audio']],
    ['tools', chat, { tools: [{}] }, ['tools']],
    ['functions, as they were once', chat, { functions: [{}] }, ['tools']],
    ['no tools in an empty list', messages, { tools: [] }, []],
    ['tools of Responses', responses, { tools: [{ type: 'web_search' }] }, ['tools']],
    ['JSON mode', chat, { response_format: { type: 'json_object' } }, ['json_mode']],
    ['a schema', chat, { response_format: { type: 'json_schema', json_schema: {} } }, ['json_schema']],
    ['a schema of Responses', responses, { text: { format: { type: 'json_schema' } } }, ['json_schema']],
    [
      'a schema of Anthropic',
      messages,
      { output_config: { format: { type: 'json_schema' } } },
      ['json_schema'],
    ],
    ['several choices', chat, { n: 2 }, ['n']],
    ['one choice', chat, { n: 1 }, []],
    ['logprobs', chat, { logprobs: true }, ['logprobs']],
    ['no logprobs', chat, { logprobs: false, top_logprobs: 0 }, []],
    ['logprobs of Responses', responses, { include: ['message.output_text.logprobs'] }, ['logprobs']],
    ['the best of some', '/v1/completions', { best_of: 3, logprobs: 2 }, ['n', 'logprobs']],
    ['embeddings need nothing', '/v1/embeddings', { input: ['x'], n: 5 }, []],
  ]
  test.each(cases)('%s', (_, endpoint, body, needs) => {
    expect([...capabilitiesNeeded(endpoint, body)]).toEqual(needs)
  })

  test.each([null, [], 'text', 5, { messages: 5 }, { messages: [null, { content: [null, 5] }] }])(
    'a body of the wrong shape needs nothing: %j',
    body => {
      for (const endpoint of [chat, messages, responses, '/v1/completions', '/v1/embeddings'] as const) {
        expect([...capabilitiesNeeded(endpoint, body)]).toEqual([])
        expect(leastInputTokens(endpoint, body)).toBe(0)
      }
    },
  )

  test('the longest answer goes by three names', () => {
    expect(outputAsked({ max_tokens: 5 })).toBe(5)
    expect(outputAsked({ max_tokens: 5, max_completion_tokens: 6 })).toBe(6)
    expect(outputAsked({ max_output_tokens: 7 })).toBe(7)
    expect(outputAsked({ max_tokens: 'many' })).toBe(0)
  })
})

describe('how much a model has to read at the least', () => {
  const words = 'lorem ipsum '.repeat(800)

  test('counts text wherever the endpoint has it, and no white space', () => {
    const tokens = (800 * 10) / 8
    expect(leastInputTokens(chat, { messages: [{ content: words }] })).toBe(tokens)
    expect(leastInputTokens(messages, { system: [{ type: 'text', text: words }] })).toBe(tokens)
    expect(leastInputTokens(responses, { input: words })).toBe(tokens)
    expect(leastInputTokens('/v1/completions', { prompt: words })).toBe(tokens)
    expect(leastInputTokens(chat, { metadata: { note: words } })).toBe(0)
  })

  test('takes no file for text', () => {
    const bytes = 'QUJD'.repeat(10_000)
    expect(leastInputTokens(messages, { messages: user({ type: 'image', source: { data: bytes } }) })).toBe(1)
    const url = `data:image/png;base64,${bytes}=`
    expect(leastInputTokens(chat, { messages: user({ type: 'image_url', image_url: { url } }) })).toBe(1)
  })

  test('reads each text of an embedding by itself', () => {
    expect(leastInputTokens('/v1/embeddings', { input: [words, words, 'x'] })).toBe(1_000)
    expect(leastInputTokens('/v1/embeddings', { input: words })).toBe(1_000)
  })

  test('reaches as deep as a body nests', () => {
    let content: unknown = words
    for (let i = 0; i < 100_000; i++) content = [content]
    expect(leastInputTokens(chat, { messages: content })).toBe(1_000)
  })
})
