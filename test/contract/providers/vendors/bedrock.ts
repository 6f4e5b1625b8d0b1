import { createHash, createHmac } from 'node:crypto'
import { expect } from 'vitest'
import type { Arrival } from '../recording-upstream.ts'
import { type Finish, type Seen, usage, type Vendor } from './vendor.ts'

interface Block {
  readonly text?: string
  readonly image?: { readonly format: string; readonly source: { readonly bytes: string } }
  readonly document?: { readonly format: string; readonly source: { readonly bytes: string } }
  readonly toolUse?: { readonly toolUseId: string; readonly name: string; readonly input: object }
  readonly toolResult?: { readonly toolUseId: string; readonly content: readonly { text: string }[] }
}

interface Converse {
  readonly system?: readonly { text: string }[]
  readonly messages: readonly { readonly role: string; readonly content: readonly Block[] }[]
  readonly inferenceConfig?: Record<string, unknown>
  readonly toolConfig?: {
    readonly tools: readonly { toolSpec: { name: string; inputSchema: { json: unknown } } }[]
    readonly toolChoice?: { any?: object; auto?: object; tool?: { name: string } }
  }
}

const turnOf = (role: string, { text, image, document, toolUse, toolResult }: Block): string => {
  if (image) return `${role}: file image/${image.format} ${image.source.bytes}`
  if (document) return `${role}: file application/${document.format} ${document.source.bytes}`
  if (toolUse) return `${role}: call ${toolUse.name} ${JSON.stringify(toolUse.input)} as ${toolUse.toolUseId}`
  if (toolResult) return `tool: ${toolResult.toolUseId} ${toolResult.content.map(part => part.text).join('')}`
  return `${role}: ${text}`
}

const choiceOf = ({ toolConfig }: Converse): string | null => {
  const { any, auto, tool } = toolConfig?.toolChoice ?? {}
  return tool?.name ?? (any ? 'required' : auto ? 'auto' : null)
}

const read = (json: Record<string, unknown>): Seen => {
  const body = json as unknown as Converse
  const config = body.inferenceConfig ?? {}
  const tools = body.toolConfig?.tools ?? []
  const names = tools.map(({ toolSpec }) => toolSpec.name)
  const answerTool = tools.find(({ toolSpec }) => toolSpec.name === 'json')
  return {
    system: body.system?.map(({ text }) => text).join('\n') || null,
    turns: body.messages.flatMap(({ role, content }) => content.map(block => turnOf(role, block))),
    tools: names,
    choice: choiceOf(body),
    schema: answerTool?.toolSpec.inputSchema.json,
    maxTokens: config.maxTokens,
    temperature: config.temperature,
    topP: config.topP,
    stops: config.stopSequences,
  }
}

export const awsKeys = {
  access_key_id: 'AKIAIOSFODNN7EXAMPLE',
  secret_access_key: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

const uriEncode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** Signature Version 4, made anew from what arrived: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html */
export const expectSigned = (
  { path, headers, text }: Arrival,
  secret = awsKeys.secret_access_key,
  keyId = awsKeys.access_key_id,
  method = 'POST',
): void => {
  const [, id, date, region, service, names, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=(\w{64})$/.exec(
      headers.authorization ?? '',
    ) ?? []
  expect(id).toBe(keyId)
  expect([region, service]).toEqual(['us-east-1', 'bedrock'])
  expect(names?.split(';')).toEqual(expect.arrayContaining(['host', 'x-amz-date']))
  const lines = names!.split(';').map(name => `${name}:${String(headers[name]).trim()}\n`)
  // The path is encoded once more for the signature, as everywhere but in S3.
  const [place = '', query = ''] = path.split('?')
  const canonicalPath = place.split('/').map(uriEncode).join('/')
  const canonicalQuery = query.split('&').sort().join('&')
  const canonical = [method, canonicalPath, canonicalQuery, lines.join(''), names, sha256(text)].join('\n')
  const scope = `${date}/${region}/${service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n')
  const key = [date!, region!, service!, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`)
  expect(signature).toBe(createHmac('sha256', key).update(toSign).digest('hex'))
}

const finishReasons: Readonly<Record<Finish, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  calls: 'tool_use',
  filter: 'guardrail_intervened',
}

const error = (status: number, type: string, message: string) => ({
  status,
  body: { message },
  headers: { 'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/` },
})

export const bedrock: Vendor = {
  name: 'bedrock',
  settings: url => ({ type: 'bedrock', base_url: url, region: 'us-east-1', ...awsKeys }),
  key: null,
  model: 'amazon.nova-pro-v1:0',
  path: '/model/amazon.nova-pro-v1%3A0/converse',
  checkAuth: arrival => expectSigned(arrival),
  read,
  answer: ({ text, calls = [], finish = 'stop' }) => ({
    metrics: { latencyMs: 551 },
    output: {
      message: {
        role: 'assistant',
        content: [
          ...(text === undefined ? [] : [{ text }]),
          ...calls.map(({ id, name, input }) => ({ toolUse: { toolUseId: id, name, input } })),
        ],
      },
    },
    stopReason: finishReasons[finish],
    usage: {
      inputTokens: usage.input,
      outputTokens: usage.output,
      totalTokens: usage.input + usage.output,
    },
  }),
  errors: {
    throttled: {
      ...error(429, 'ThrottlingException', 'Too many requests, please wait before trying again.'),
      verdict: 'rate_limited/throttlingexception',
    },
    internal: {
      ...error(500, 'InternalServerException', 'The system encountered an unexpected error.'),
      verdict: 'transient/internalserverexception',
    },
    unavailable: {
      ...error(503, 'ServiceUnavailableException', 'Bedrock is unable to process your request.'),
      verdict: 'overloaded/serviceunavailableexception',
    },
    'bad key': {
      ...error(403, 'UnrecognizedClientException', 'The security token included in the request is invalid.'),
      verdict: 'bad_credentials/unrecognizedclientexception',
    },
    'unknown model': {
      ...error(400, 'ValidationException', 'The provided model identifier is invalid.'),
      verdict: 'unknown_model/invalid_model',
    },
    'too long': {
      ...error(400, 'ValidationException', 'Input is too long for requested model.'),
      verdict: 'too_long/prompt_too_long',
    },
  },
  idOf: id => id.replaceAll(/[^\w-]/g, '_'),
  finishes: ['stop', 'length', 'calls', 'filter'],
  extras: [],
  lost: [
    ['n', { n: 2 }],
    ['logprobs', { logprobs: true }],
    [
      'messages.content.image_url.image_url',
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: { url: 'https://example.test/a.png' } }],
          },
        ],
      },
    ],
  ],
  takesPdf: true,
  byName: false,
}
