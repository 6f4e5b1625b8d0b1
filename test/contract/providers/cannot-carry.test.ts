import { describe, expect, test } from 'vitest'
import { openProvider } from './open-provider.ts'

const base_url = 'http://127.0.0.1:1'

describe('requests that a format cannot carry', () => {
  describe('a chat completion on its way to Anthropic', () => {
    const lost = (body: object) =>
      openProvider({ type: 'anthropic', base_url }).carriage('/v1/chat/completions', 'm', {
        model: 'm',
        messages: [],
        ...body,
      }).excluded
    const content = (part: object) => ({ messages: [{ role: 'user', content: [part] }] })

    test.each([
      ['n', { n: 2 }],
      ['logprobs', { logprobs: true }],
      ['top_logprobs', { top_logprobs: 3 }],
      ['modalities', { modalities: ['text', 'audio'] }],
      ['audio', { audio: { voice: 'alloy', format: 'wav' } }],
      ['web_search_options', { web_search_options: {} }],
      ['stream', { stream: 'yes' }],
      ['functions', { functions: [] }],
      ['tools', { tools: [{ type: 'custom', custom: { name: 'x' } }] }],
      ['tool_choice', { tool_choice: { type: 'allowed_tools', allowed_tools: {} } }],
      ['response_format', { response_format: { type: 'grammar' } }],
      ['stop', { stop: ['END', '\n'] }],
      ['brand_new', { brand_new: false }],
      ['constructor', JSON.parse('{"constructor":1}')],
      ['messages.role', { messages: [{ role: 'function', name: 'f', content: '' }] }],
      ['messages.audio', { messages: [{ role: 'assistant', audio: { id: 'a' } }] }],
      ['messages.tool_calls', { messages: [{ role: 'assistant', tool_calls: [{ type: 'custom' }] }] }],
      ['messages.content.input_audio', content({ type: 'input_audio', input_audio: {} })],
      ['messages.content.file.file', content({ type: 'file', file: { file_id: 'file-1' } })],
      ['messages.content.text.extra', content({ type: 'text', text: '', extra: 1 })],
    ])('loses %s', (name, body) => {
      expect(lost(body)).toEqual([name])
    })

    test.each([
      {
        max_tokens: 5,
        max_completion_tokens: 5,
        temperature: 1,
        stop: 'x',
        user: 'u',
      },
      { n: 1, logprobs: false, logit_bias: {}, presence_penalty: 0, stream: false, store: false },
      { n: null, seed: null, audio: null, brand_new: null },
      { top_p: 0.5 },
      { top_p: 1, temperature: 0.5 },
      { metadata: { a: 'b' }, service_tier: 'auto', prompt_cache_key: 'k', safety_identifier: 's' },
      { modalities: ['text'], response_format: { type: 'json_object' } },
      {
        tools: [{ type: 'function', function: { name: 'f' } }],
        tool_choice: 'required',
        parallel_tool_calls: false,
      },
      content({ type: 'image_url', image_url: { url: 'https://example.test/a.png' } }),
      content({ type: 'file', file: { file_data: 'data:application/pdf;base64,aGk=' } }),
      { messages: [{ role: 'tool', tool_call_id: 'c', name: 'f', content: 'x' }] },
      { messages: [{ role: 'assistant', content: 'x', refusal: null, annotations: [], tool_calls: [] }] },
    ])('loses nothing of %j', body => {
      expect(lost(body)).toEqual([])
    })

    test('names everything at once, each once', () => {
      const audio = { type: 'input_audio', input_audio: {} }
      const messages = [{ role: 'user', content: [audio, audio] }]
      expect(lost({ n: 3, web_search_options: {}, messages })).toEqual([
        'n',
        'web_search_options',
        'messages.content.input_audio',
      ])
    })
  })

  describe.each(['openai', 'openai-compatible', 'simulated'])('a messages request on its way to %s', type => {
    const lost = (body: object) =>
      openProvider({ type, base_url }).carriage('/v1/messages', 'm', {
        model: 'm',
        max_tokens: 5,
        messages: [],
        ...body,
      }).excluded
    const content = (part: object) => ({ messages: [{ role: 'user', content: [part] }] })
    const input_schema = { type: 'object' }

    test.each([
      ['stream', { stream: 'yes' }],
      ['stop_sequences', { stop_sequences: ['a', 'b', 'c', 'd', 'e'] }],
      ['tools', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }],
      ['tools', { tools: [{ name: 'f', input_schema, defer_loading: true }] }],
      ['output_config', { output_config: { task_budget: {} } }],
      ['mcp_servers', { mcp_servers: [] }],
      ['container', { container: 'c' }],
      ['context_management', { context_management: {} }],
      ['inference_geo', { inference_geo: 'us' }],
      ['speed', { speed: 'fast' }],
      ['brand_new', { brand_new: 0 }],
      ['system.image', { system: [{ type: 'image' }] }],
      ['messages.content.image.source', content({ type: 'image', source: { type: 'file', file_id: 'f' } })],
      ['messages.content.document.source', content({ type: 'document', source: { type: 'url', url: 'x' } })],
      [
        'messages.content.document.citations',
        content({ type: 'document', source: { type: 'text' }, citations: { enabled: true } }),
      ],
      ['messages.content.search_result', content({ type: 'search_result' })],
      ['messages.content.server_tool_use', content({ type: 'server_tool_use' })],
      [
        'messages.content.tool_result.content.document',
        content({ type: 'tool_result', tool_use_id: 't', content: [{ type: 'document' }] }),
      ],
    ])('loses %s', (name, body) => {
      expect(lost(body)).toEqual([name])
    })

    test.each([
      { system: 'x', temperature: 1, top_p: 0.5, stop_sequences: ['a'], stream: false },
      { metadata: { user_id: 'u' }, service_tier: 'auto', cache_control: { type: 'ephemeral' } },
      { thinking: { type: 'disabled' } },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'low', format: { type: 'json_schema' } } },
      { tools: [{ type: 'custom', name: 'f', input_schema, strict: true }], tool_choice: { type: 'any' } },
      { system: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }] },
      content({ type: 'document', source: { type: 'base64' }, title: 'a', citations: { enabled: false } }),
      content({
        type: 'tool_result',
        tool_use_id: 't',
        is_error: true,
        content: [{ type: 'text', text: 'x' }],
      }),
      content({ type: 'thinking', thinking: 'x', signature: 's' }),
      { messages: [{ role: 'user', content: 'plain' }] },
    ])('loses nothing of %j', body => {
      expect(lost(body)).toEqual([])
    })
  })
})
