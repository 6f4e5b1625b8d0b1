/** A field of a request with one value, and the request that it stands in. */
export interface Probe {
  /** As the document names it. */
  readonly field: string
  readonly value: string
  /** The whole request, but for the model. */
  readonly body: Readonly<Record<string, unknown>>
  /** The same without the field. */
  readonly without: Readonly<Record<string, unknown>>
}

type Body = Readonly<Record<string, unknown>>

const user = { role: 'user', content: 'hi' }

const written = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text.length > 64 ? `${text.slice(0, 61)}…` : text
}

/** What else the request asks for, where that decides. */
const beside = ({ tools: _, ...rest }: Body): string =>
  Object.keys(rest).length === 0 ? '' : ` beside \`${JSON.stringify(rest)}\``

/** `place`: where the turns stand. */
const probesOf = (common: Body, place = 'messages') => {
  const top = (field: string, value: unknown, rest: Body = {}): Probe => ({
    field,
    value: `\`${written(value)}\`${beside(rest)}`,
    body: { ...common, ...rest, [field]: value },
    without: { ...common, ...rest },
  })
  /** Something within a message: what is asked with it, and without. */
  const within = (
    field: string,
    value: string,
    turns: unknown[],
    without: unknown[],
    rest: Body = {},
  ): Probe => ({
    field,
    value,
    body: { ...common, ...rest, [place]: turns },
    without: { ...common, ...rest, [place]: without },
  })
  return { top, within }
}

const chat = probesOf({ messages: [user] })
const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]
const schema = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
}
const strictTools = [{ type: 'function', function: { name: 'f', strict: true, parameters: schema } }]
const parts = (...content: object[]) => [
  { role: 'user', content: [{ type: 'text', text: 'hi' }, ...content] },
]
const call = { id: 'call_12345', type: 'function', function: { name: 'f', arguments: '{"q":1}' } }
const calling = { role: 'assistant', content: null, tool_calls: [call] }
const answered = { role: 'tool', tool_call_id: 'call_12345', content: 'one' }
const imageOf = (url: string, more: object = {}) => ({ type: 'image_url', image_url: { url, ...more } })
const png = 'data:image/png;base64,iVBORw0KGgo='

export const chatProbes: readonly Probe[] = [
  chat.within(
    'messages',
    'role `system`, `developer`',
    [{ role: 'developer', content: 'be brief' }, user],
    [user],
  ),
  chat.within('messages.name', '"Ann"', [{ ...user, name: 'Ann' }], [user]),
  chat.within('messages.tool_calls', 'with its result', [user, calling, answered], [user], { tools }),
  chat.within(
    'messages.reasoning_content',
    '"hm"',
    [user, { role: 'assistant', content: 'a', reasoning_content: 'hm' }, user],
    [user, { role: 'assistant', content: 'a' }, user],
  ),
  chat.within(
    'messages.thinking_blocks',
    'signed by Claude',
    [
      user,
      {
        role: 'assistant',
        content: 'a',
        thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 's' }],
      },
      user,
    ],
    [user, { role: 'assistant', content: 'a' }, user],
  ),
  chat.within('messages.content', 'image, inline', parts(imageOf(png)), parts()),
  chat.within(
    'messages.content',
    'image at `https://…/a.png`',
    parts(imageOf('https://example.test/a.png')),
    parts(),
  ),
  chat.within(
    'messages.content',
    'image at `https://…/a`',
    parts(imageOf('https://example.test/a')),
    parts(),
  ),
  chat.within(
    'messages.content',
    'image, `detail: low`',
    parts(imageOf(png, { detail: 'low' })),
    parts(imageOf(png)),
  ),
  chat.within(
    'messages.content',
    'PDF, inline',
    parts({ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } }),
    parts(),
  ),
  chat.within('messages.content', '`file_id`', parts({ type: 'file', file: { file_id: 'file-1' } }), parts()),
  chat.within(
    'messages.content',
    '`input_audio`',
    parts({ type: 'input_audio', input_audio: { data: 'aGk=', format: 'wav' } }),
    parts(),
  ),
  chat.top('audio', { voice: 'alloy', format: 'wav' }),
  chat.top('frequency_penalty', 0),
  chat.top('frequency_penalty', 0.5),
  chat.top('frequency_penalty', -0.5),
  chat.top('function_call', 'auto'),
  chat.top('functions', []),
  chat.top('logit_bias', { 50256: -100 }),
  chat.top('logprobs', true),
  chat.top('max_completion_tokens', 200),
  chat.top('max_tokens', 200),
  chat.top('max_tokens', 100_000),
  chat.top('metadata', { a: 'b' }),
  chat.top('modalities', ['text']),
  chat.top('modalities', ['text', 'audio']),
  chat.top('moderation', {}),
  chat.top('n', 2),
  chat.top('parallel_tool_calls', false, { tools }),
  chat.top('prediction', { type: 'content', content: 'x' }),
  chat.top('presence_penalty', 0.5),
  chat.top('prompt_cache_key', 'k'),
  chat.top('prompt_cache_options', {}),
  chat.top('prompt_cache_retention', '24h'),
  chat.top('reasoning_effort', 'low'),
  chat.top('reasoning_effort', 'none'),
  chat.top('reasoning_effort', 'xhigh'),
  chat.top('reasoning_effort', 'high', { max_tokens: 500 }),
  chat.top('response_format', { type: 'json_object' }),
  chat.top('response_format', { type: 'json_schema', json_schema: { name: 's', schema } }),
  chat.top('safety_identifier', 's'),
  chat.top('seed', 7),
  chat.top('service_tier', 'auto'),
  chat.top('service_tier', 'flex'),
  chat.top('stop', ['a', 'b', 'c', 'd']),
  chat.top('stop', ['a', 'b', 'c', 'd', 'e', 'f']),
  chat.top('stop', '\n'),
  chat.top('store', true),
  chat.top('stream', true),
  chat.top('stream_options', {}),
  chat.top('temperature', 0.5),
  chat.top('temperature', 1),
  chat.top('temperature', 1.8),
  chat.top('temperature', 0.5, { reasoning_effort: 'high', max_tokens: 5_000 }),
  chat.top('tool_choice', 'required', { tools }),
  chat.top('tool_choice', { type: 'function', function: { name: 'f' } }, { tools }),
  chat.top('tool_choice', { type: 'allowed_tools', allowed_tools: {} }, { tools }),
  chat.top('tools', tools),
  chat.top('tools', strictTools),
  chat.top('tools', [{ type: 'custom', custom: { name: 'x' } }]),
  chat.top('top_k', 5),
  chat.top('top_logprobs', 3),
  chat.top('top_p', 0.5),
  chat.top('top_p', 0.5, { temperature: 0.5 }),
  chat.top('user', 'u'),
  chat.top('verbosity', 'low'),
  chat.top('web_search_options', {}),
  chat.top('any other', 1),
]

const message = probesOf({ max_tokens: 99, messages: [user] })
const clientTools = [{ name: 'f', input_schema: { type: 'object' } }]
const toolUse = { type: 'tool_use', id: 'toolu_123', name: 'f', input: { q: 1 } }
const thought = { type: 'thinking', thinking: 'hm', signature: 's' }
const result = { type: 'tool_result', tool_use_id: 'toolu_123', content: 'one' }
const loop = (...blocks: object[]) => [
  user,
  { role: 'assistant', content: blocks },
  { role: 'user', content: [result] },
]
const base64 = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' }
const image = (source: object) => ({ type: 'image', source })
const document = (source: object, more: object = {}) => ({ type: 'document', source, ...more })
const text = { type: 'text', media_type: 'text/plain', data: 'plain' }

export const messageProbes: readonly Probe[] = [
  message.within('messages.content', '`tool_use` with its result', loop(toolUse), [user], {
    tools: clientTools,
  }),
  message.within('messages.content', '`thinking` beside `tool_use`', loop(thought, toolUse), loop(toolUse), {
    tools: clientTools,
  }),
  message.within('messages.content', 'image, inline', parts(image(base64)), parts()),
  message.within(
    'messages.content',
    'image at `https://…/a.png`',
    parts(image({ type: 'url', url: 'https://example.test/a.png' })),
    parts(),
  ),
  message.within('messages.content', 'image, `file`', parts(image({ type: 'file', file_id: 'f' })), parts()),
  message.within('messages.content', 'plain document', parts(document(text)), parts()),
  message.within(
    'messages.content',
    'PDF, inline',
    parts(document({ type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' })),
    parts(),
  ),
  message.within(
    'messages.content',
    'document, `citations`',
    parts(document(text, { citations: { enabled: true } })),
    parts(document(text)),
  ),
  message.within(
    'messages.content',
    'document at an address',
    parts(document({ type: 'url', url: 'https://example.test/a.pdf' })),
    parts(),
  ),
  message.within('messages.content', '`search_result`', parts({ type: 'search_result' }), parts()),
  message.within('messages.content', '`server_tool_use`', parts({ type: 'server_tool_use' }), parts()),
  message.top('cache_control', { type: 'ephemeral' }),
  message.top('container', 'c'),
  message.top('context_management', {}),
  message.top('diagnostics', {}),
  message.top('inference_geo', 'us'),
  message.top('max_tokens', 200),
  message.top('max_tokens', 100_000),
  message.top('mcp_servers', []),
  message.top('metadata', { user_id: 'u' }),
  message.top('output_config', { effort: 'low' }),
  message.top('output_config', { effort: 'max' }),
  message.top('output_config', { format: { type: 'json_schema', schema } }),
  message.top('output_config', { task_budget: {} }),
  message.top('service_tier', 'auto'),
  message.top('service_tier', 'priority'),
  message.top('speed', 'fast'),
  message.top('stop_sequences', ['a', 'b', 'c', 'd']),
  message.top('stop_sequences', ['a', 'b', 'c', 'd', 'e', 'f']),
  message.top('stream', true),
  message.top('system', 'be brief'),
  message.top('temperature', 0.5),
  message.top('thinking', { type: 'disabled' }),
  message.top('thinking', { type: 'adaptive' }),
  message.top('thinking', { type: 'enabled', budget_tokens: 2048 }, { max_tokens: 9_000 }),
  message.top('tool_choice', { type: 'any' }, { tools: clientTools }),
  message.top('tool_choice', { type: 'auto', disable_parallel_tool_use: true }, { tools: clientTools }),
  message.top('tools', clientTools),
  message.top('tools', [{ name: 'f', strict: true, input_schema: schema }]),
  message.top('tools', [{ type: 'web_search_20250305', name: 'web_search' }]),
  message.top('top_k', 5),
  message.top('top_p', 0.5),
  message.top('user_profile_id', 'p'),
  message.top('workspace_id', 'w'),
  message.top('any other', 1),
]

const response = probesOf({ input: 'hi' }, 'input')
const functions = [{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: false }]
const said = (...content: object[]) => [
  { role: 'user', content: [{ type: 'input_text', text: 'hi' }, ...content] },
]
const functionCall = { type: 'function_call', call_id: 'call_12345', name: 'f', arguments: '{"q":1}' }
const output = { type: 'function_call_output', call_id: 'call_12345', output: 'one' }
const reasoningOf = (encrypted_content: string) => ({
  ...{ id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content },
})
const bound = (format: object) => ({ format: { type: 'json_schema', name: 's', schema, ...format } })

export const responseProbes: readonly Probe[] = [
  response.within(
    'input',
    'roles `system`, `developer`',
    [{ role: 'developer', content: 'be brief' }, user],
    [user],
  ),
  response.within('input', '`function_call` with its output', [user, functionCall, output], [user], {
    tools: functions,
  }),
  response.within(
    'input',
    '`reasoning` of another vendor',
    [user, reasoningOf('gAAAA'), functionCall, output],
    [user, functionCall, output],
    {
      tools: functions,
    },
  ),
  response.within(
    'input',
    '`reasoning` signed by Claude',
    [user, reasoningOf('baton-signed.s'), functionCall, output],
    [user, functionCall, output],
    { tools: functions },
  ),
  response.within('input', '`item_reference`', [user, { type: 'item_reference', id: 'msg_1' }], [user]),
  response.within('input', '`web_search_call`', [user, { type: 'web_search_call', id: 'ws_1' }], [user]),
  response.within('input', '`custom_tool_call`', [user, { type: 'custom_tool_call', name: 'x' }], [user]),
  response.within(
    'input.content',
    'image, inline',
    said({ type: 'input_image', image_url: png, detail: 'auto' }),
    said(),
  ),
  response.within(
    'input.content',
    'image at `https://…/a.png`',
    said({ type: 'input_image', image_url: 'https://example.test/a.png' }),
    said(),
  ),
  response.within(
    'input.content',
    'image, `detail: low`',
    said({ type: 'input_image', image_url: png, detail: 'low' }),
    said({ type: 'input_image', image_url: png }),
  ),
  response.within('input.content', 'image, `file_id`', said({ type: 'input_image', file_id: 'f' }), said()),
  response.within(
    'input.content',
    'PDF, inline',
    said({ type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' }),
    said(),
  ),
  response.within(
    'input.content',
    'file, `file_url`',
    said({ type: 'input_file', file_url: 'https://x' }),
    said(),
  ),
  response.within(
    'input.output',
    'image, inline',
    [user, functionCall, { ...output, output: [{ type: 'input_image', image_url: png }] }],
    [user, functionCall, output],
    {
      tools: functions,
    },
  ),
  response.top('access_programs', {}),
  response.top('background', false),
  response.top('context_management', []),
  response.top('conversation', 'conv_1'),
  response.top('image', {}),
  response.top('include', ['reasoning.encrypted_content']),
  response.top('include', ['message.output_text.logprobs']),
  response.top('instructions', 'be brief'),
  response.top('max_output_tokens', 200),
  response.top('max_output_tokens', 100_000),
  response.top('max_tool_calls', 2),
  response.top('metadata', { a: 'b' }),
  response.top('moderation', {}),
  response.top('parallel_tool_calls', false, { tools: functions }),
  response.top('previous_response_id', 'resp_1'),
  response.top('prompt', { id: 'pmpt_1' }),
  response.top('prompt_cache_key', 'k'),
  response.top('prompt_cache_options', {}),
  response.top('prompt_cache_retention', '24h'),
  response.top('reasoning', { effort: 'low' }),
  response.top('reasoning', { effort: 'none' }),
  response.top('reasoning', { effort: 'xhigh' }),
  response.top('reasoning', { effort: 'high' }, { max_output_tokens: 500 }),
  response.top('reasoning', { summary: 'auto' }),
  response.top('reasoning', { mode: 'pro' }),
  response.top('safety_identifier', 's'),
  response.top('service_tier', 'auto'),
  response.top('service_tier', 'flex'),
  response.top('store', false),
  response.top('store', true),
  response.top('stream', true),
  response.top('stream_options', {}),
  response.top('temperature', 0.5),
  response.top('temperature', 1.8),
  response.top('temperature', 0.5, { reasoning: { effort: 'high' }, max_output_tokens: 5_000 }),
  response.top('text', { format: { type: 'text' } }),
  response.top('text', { format: { type: 'json_object' } }),
  response.top('text', bound({ strict: true })),
  response.top('text', { verbosity: 'low' }),
  response.top('tool_choice', 'required', { tools: functions }),
  response.top('tool_choice', { type: 'function', name: 'f' }, { tools: functions }),
  response.top('tool_choice', { type: 'allowed_tools', mode: 'auto', tools: [] }, { tools: functions }),
  response.top('tools', functions),
  response.top('tools', [{ type: 'function', name: 'f', parameters: schema, strict: true }]),
  ...['web_search', 'file_search', 'code_interpreter', 'computer', 'image_generation', 'mcp', 'custom'].map(
    type => response.top('tools', [{ type }]),
  ),
  response.top('top_logprobs', 3),
  response.top('top_p', 0.5),
  response.top('top_p', 0.5, { temperature: 0.5 }),
  response.top('truncation', 'disabled'),
  response.top('truncation', 'auto'),
  response.top('user', 'u'),
  response.top('any other', 1),
]
