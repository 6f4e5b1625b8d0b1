import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/domain/endpoint.ts'
import { openProvider, openUpstream, requestOf } from './open-provider.ts'
import { answering } from './recording-upstream.ts'
import { message } from './translated-chat.ts'
import { completion } from './translated-messages.ts'
import { vendors } from './vendors/all.ts'

const chats = '/v1/chat/completions'
const messages = '/v1/messages'
const user = { role: 'user', content: 'hi' }
const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } }
const thinkingTokens = { type: 'enabled', budget_tokens: 2048 }

const vendorNamed = (name: string) => vendors.find(vendor => vendor.name === name)!

/** The settings and answers of a type, by its name. */
const targetOf = async (type: string, url: string) => {
  if (type === 'anthropic') return { settings: { type, base_url: url }, key: 'k' }
  if (type === 'openai' || type === 'openai-compatible') {
    return { settings: { type, base_url: `${url}/v1` }, key: 'k' }
  }
  const vendor = vendorNamed(type)
  return { settings: await vendor.settings(url), key: vendor.key }
}

const answerOf = (type: string): object => {
  if (type === 'anthropic') return message
  return type.startsWith('openai') ? completion : vendorNamed(type).answer({ text: '4' })
}

const carry = async (type: string, model: string, endpoint: Endpoint, body: object, adjust: boolean) => {
  const upstream = await openUpstream(answering(200, answerOf(type)))
  const { settings, key } = await targetOf(type, upstream.url)
  const provider = openProvider(settings)
  const full = {
    model: 'route',
    messages: [user],
    ...(endpoint === messages ? { max_tokens: 99 } : {}),
    ...body,
  }
  const outcome = await provider.call(requestOf(endpoint, full, { model, adjust, apiKey: key }))
  const sent = upstream.arrivals.length > 0 ? (JSON.parse(upstream.arrivals[0]!.text) as object) : null
  return { carriage: provider.carriage(endpoint, model, full), outcome, sent }
}

/** What is undefined must not have arrived. */
const expectArrived = (sent: object | null, arrives: object): void => {
  const members = Object.entries(arrives)
  expect(sent).toMatchObject(Object.fromEntries(members.filter(([, value]) => value !== undefined)))
  for (const [name, value] of members) if (value === undefined) expect(sent).not.toHaveProperty(name)
}

interface Case {
  readonly type: string
  readonly model: string
  readonly endpoint?: Endpoint
  readonly body: object
  readonly adjustments: Readonly<Record<string, string>>
  /** Of what arrives: a member that is undefined must not be there. */
  readonly arrives: object
}

const cases: readonly Case[] = [
  {
    type: 'anthropic',
    model: 'claude-sonnet-4-5',
    body: { temperature: 1.5 },
    adjustments: { temperature: 'lowered' },
    arrives: { temperature: 1 },
  },
  {
    type: 'anthropic',
    model: 'claude-sonnet-4-5',
    body: { temperature: 0.5, top_p: 0.5 },
    adjustments: { top_p: 'left_out' },
    arrives: { temperature: 0.5, top_p: undefined },
  },
  {
    type: 'anthropic',
    model: 'claude-opus-4-8',
    body: { temperature: 0.5, top_p: 1 },
    adjustments: { temperature: 'left_out' },
    arrives: { temperature: undefined, top_p: undefined },
  },
  {
    type: 'anthropic',
    model: 'claude-sonnet-4-5',
    body: { reasoning_effort: 'high', max_tokens: 500 },
    adjustments: { reasoning_effort: 'left_out' },
    arrives: { max_tokens: 500, thinking: undefined },
  },
  {
    type: 'anthropic',
    model: 'claude-sonnet-4-5',
    body: { reasoning_effort: 'high', tools: [tool], tool_choice: 'required' },
    adjustments: { reasoning_effort: 'left_out' },
    arrives: { tool_choice: { type: 'any' }, thinking: undefined },
  },
  {
    type: 'anthropic',
    model: 'claude-sonnet-4-6',
    body: { reasoning_effort: 'xhigh' },
    adjustments: { reasoning_effort: 'lowered' },
    arrives: { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
  },
  {
    type: 'anthropic',
    model: 'claude-opus-5-5',
    body: { reasoning_effort: 'none' },
    adjustments: { reasoning_effort: 'raised' },
    arrives: { output_config: { effort: 'low' } },
  },
  {
    type: 'anthropic',
    model: 'claude-3-haiku-20240307',
    body: { max_tokens: 100_000, reasoning_effort: 'low' },
    adjustments: { reasoning_effort: 'left_out', max_tokens: 'lowered' },
    arrives: { max_tokens: 4096, thinking: undefined },
  },
  {
    type: 'anthropic',
    model: 'claude-sonnet-4-5',
    body: {
      seed: 1,
      presence_penalty: 0.5,
      frequency_penalty: -0.5,
      logit_bias: { 5: 1 },
      metadata: { a: 'b' },
      store: true,
      service_tier: 'flex',
      verbosity: 'low',
      prediction: { type: 'content', content: 'x' },
      top_k: 5,
      messages: [{ ...user, name: 'Ann' }],
    },
    adjustments: {
      seed: 'left_out',
      presence_penalty: 'left_out',
      frequency_penalty: 'left_out',
      logit_bias: 'left_out',
      metadata: 'left_out',
      store: 'left_out',
      service_tier: 'left_out',
      verbosity: 'left_out',
      prediction: 'left_out',
      top_k: 'left_out',
      'messages.name': 'left_out',
    },
    arrives: { model: 'claude-sonnet-4-5' },
  },
  {
    type: 'cohere',
    model: 'command-a',
    body: { temperature: 1.2, top_p: 1, presence_penalty: -1, reasoning_effort: 'low', user: 'u' },
    adjustments: {
      temperature: 'lowered',
      top_p: 'lowered',
      presence_penalty: 'raised',
      reasoning_effort: 'left_out',
      user: 'left_out',
    },
    arrives: { temperature: 1, p: 0.99, presence_penalty: 0, thinking: undefined },
  },
  {
    type: 'mistral',
    model: 'mistral-medium-latest',
    body: { temperature: 0, top_p: 0.5, seed: -1, reasoning_effort: 'low' },
    adjustments: { top_p: 'left_out', seed: 'left_out', reasoning_effort: 'raised' },
    arrives: { temperature: 0, top_p: undefined, random_seed: undefined, reasoning_effort: 'high' },
  },
  {
    type: 'google',
    model: 'gemini-2.5-flash',
    body: { presence_penalty: 0.5, seed: 2 ** 40, temperature: 3 },
    adjustments: { presence_penalty: 'left_out', seed: 'left_out', temperature: 'lowered' },
    arrives: { generationConfig: { temperature: 2 } },
  },
  {
    type: 'bedrock',
    model: 'anthropic.claude-3-7-sonnet-20250219-v1:0',
    body: { temperature: 1.5, seed: 1, reasoning_effort: 'high', max_tokens: 500 },
    adjustments: { temperature: 'lowered', seed: 'left_out', reasoning_effort: 'left_out' },
    arrives: { inferenceConfig: { temperature: 1, maxTokens: 500 } },
  },
  {
    type: 'openai',
    model: 'gpt-5-mini',
    endpoint: messages,
    body: {
      temperature: 0.5,
      top_p: 0.5,
      top_k: 3,
      thinking: thinkingTokens,
      output_config: { effort: 'max' },
    },
    adjustments: {
      temperature: 'left_out',
      top_p: 'left_out',
      top_k: 'left_out',
      thinking: 'left_out',
      'output_config.effort': 'lowered',
    },
    arrives: {
      temperature: undefined,
      top_p: undefined,
      reasoning_effort: 'high',
      max_completion_tokens: 99,
    },
  },
  {
    type: 'openai',
    model: 'gpt-4o',
    endpoint: messages,
    body: { temperature: 0.5, output_config: { effort: 'low' }, service_tier: 'priority' },
    adjustments: { 'output_config.effort': 'left_out', service_tier: 'left_out' },
    arrives: { temperature: 0.5, reasoning_effort: undefined, max_tokens: 99 },
  },
  {
    type: 'bedrock',
    model: 'amazon.nova-pro-v1:0',
    endpoint: messages,
    body: { top_k: 3, metadata: { user_id: 'u' } },
    adjustments: { top_k: 'left_out', metadata: 'left_out' },
    arrives: { inferenceConfig: { maxTokens: 99 } },
  },
]

describe('adjusted requests', () => {
  test.each(cases)(
    '$type $model is asked $body only otherwise',
    async ({ type, model, endpoint = chats, ...rest }) => {
      const { body, adjustments, arrives } = rest
      const fields = Object.entries(adjustments).map(([field, action]) => ({ field, action }))

      const refused = await carry(type, model, endpoint, body, false)
      expect(refused.carriage.excluded).toEqual([])
      expect(refused.carriage.adjustments).toHaveLength(fields.length)
      expect(refused.carriage.adjustments).toEqual(expect.arrayContaining(fields))
      expect(refused.outcome).toMatchObject({ kind: 'answer', status: 400 })
      expect(refused.sent).toBeNull()
      for (const { field } of fields) expect((refused.outcome as { text: string }).text).toContain(field)

      const made = await carry(type, model, endpoint, body, true)
      expect(made.outcome).toMatchObject({ kind: 'answer', status: 200 })
      expectArrived(made.sent, arrives)
    },
  )

  const exact: readonly Omit<Case, 'adjustments'>[] = [
    {
      type: 'anthropic',
      model: 'claude-sonnet-4-5',
      body: { reasoning_effort: 'medium', max_tokens: 10_000 },
      arrives: { max_tokens: 10_000, thinking: { type: 'enabled', budget_tokens: 8_976 } },
    },
    {
      type: 'anthropic',
      model: 'claude-opus-4-8',
      body: { temperature: 1, reasoning_effort: 'max', max_tokens: 500 },
      arrives: { temperature: undefined, max_tokens: 500, output_config: { effort: 'max' } },
    },
    {
      type: 'bedrock',
      model: 'anthropic.claude-3-7-sonnet-20250219-v1:0',
      body: { reasoning_effort: 'low', max_tokens: 10_000 },
      arrives: {
        inferenceConfig: { maxTokens: 10_000 },
        additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 6_400 } },
      },
    },
    {
      type: 'openai',
      model: 'gpt-4o',
      endpoint: messages,
      body: { metadata: { user_id: 'u'.repeat(80) } },
      arrives: { safety_identifier: expect.stringMatching(/^[0-9a-f]{64}$/) },
    },
    {
      type: 'openai-compatible',
      model: 'gpt-5-imitation',
      endpoint: messages,
      body: {
        temperature: 0.5,
        output_config: { effort: 'max' },
        tool_choice: null,
        top_p: null,
        system: null,
      },
      arrives: {
        temperature: 0.5,
        max_tokens: 99,
        reasoning_effort: 'max',
        top_p: undefined,
        messages: [user],
      },
    },
    {
      type: 'google',
      model: 'gemini-2.5-pro',
      body: { top_k: 5 },
      arrives: { generationConfig: { topK: 5 } },
    },
  ]

  test.each(exact)(
    '$type $model is asked $body as it stands',
    async ({ type, model, endpoint = chats, ...rest }) => {
      const { carriage, outcome, sent } = await carry(type, model, endpoint, rest.body, false)
      expect(carriage).toEqual({ excluded: [], adjustments: [] })
      expect(outcome).toMatchObject({ kind: 'answer', status: 200 })
      expectArrived(sent, rest.arrives)
    },
  )

  test.each([
    ['anthropic', 'claude-opus-5-5', { tools: [tool], tool_choice: 'required' }, 'tool_choice'],
    [
      'anthropic',
      'claude-3-haiku',
      { tools: [{ type: 'function', function: { name: 'f', strict: true } }] },
      'tools',
    ],
    [
      'bedrock',
      'anthropic.claude-opus-5-5-v1:0',
      { response_format: { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' } } } },
      'response_format',
    ],
    [
      'bedrock',
      'amazon.nova-pro-v1:0',
      {
        messages: [
          user,
          {
            role: 'assistant',
            content: 'x',
            tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
          },
        ],
      },
      'messages.tool_calls',
    ],
  ])('%s %s is never asked %j', async (type, model, body, field) => {
    const { carriage, outcome, sent } = await carry(type, model, chats, body, true)
    expect(carriage.excluded).toEqual([field])
    expect(outcome).toMatchObject({ kind: 'answer', status: 400 })
    expect(sent).toBeNull()
  })
})
