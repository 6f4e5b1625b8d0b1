import { expect } from 'vitest'
import {
  type ErrorCase,
  type Finish,
  type KnownError,
  type Said,
  type Seen,
  usage,
  type Vendor,
} from './vendor.ts'

interface Part {
  readonly text?: string
  readonly inlineData?: { readonly mimeType: string; readonly data: string }
  readonly fileData?: { readonly mimeType: string; readonly fileUri: string }
  readonly functionCall?: { readonly id?: string; readonly name: string; readonly args: object }
  readonly functionResponse?: {
    readonly id?: string
    readonly name: string
    readonly response: { readonly content: string }
  }
}

interface GenerateContent {
  readonly contents: readonly { readonly role: string; readonly parts: readonly Part[] }[]
  readonly systemInstruction?: { readonly parts: readonly Part[] }
  readonly tools?: readonly { readonly functionDeclarations: readonly { readonly name: string }[] }[]
  readonly toolConfig?: {
    readonly functionCallingConfig: { readonly mode: string; readonly allowedFunctionNames?: string[] }
  }
  readonly generationConfig: Record<string, unknown>
}

/** Gemini checks that the results of a turn are as many as the calls of the turn before. */
const checkTurns = ({ contents }: GenerateContent): void => {
  contents.forEach(({ parts }, index) => {
    const calls = parts.filter(part => part.functionCall).length
    if (calls === 0) return
    const results = contents[index + 1]?.parts.filter(part => part.functionResponse).length
    expect(results, 'function response parts equal function call parts').toBe(calls)
  })
}

const turnOf = (role: string, part: Part): string => {
  const { text, inlineData, fileData, functionCall, functionResponse } = part
  const who = role === 'model' ? 'assistant' : 'user'
  if (inlineData) return `${who}: file ${inlineData.mimeType} ${inlineData.data}`
  if (fileData) return `${who}: file ${fileData.mimeType} ${fileData.fileUri}`
  if (functionCall) return `${who}: call ${functionCall.name} ${JSON.stringify(functionCall.args)}`
  if (functionResponse) return `tool: ${functionResponse.name} ${functionResponse.response.content}`
  return `${who}: ${text}`
}

const choices: Readonly<Record<string, string>> = { AUTO: 'auto', NONE: 'none', ANY: 'required' }

const choiceOf = ({ toolConfig }: GenerateContent): string | null => {
  const { mode, allowedFunctionNames } = toolConfig?.functionCallingConfig ?? {}
  return allowedFunctionNames?.join() ?? (mode === undefined ? null : (choices[mode] ?? mode))
}

export const readGemini = (json: Record<string, unknown>): Seen => {
  const body = json as unknown as GenerateContent
  checkTurns(body)
  const config = body.generationConfig
  return {
    system: body.systemInstruction?.parts.map(part => part.text).join('\n') ?? null,
    turns: body.contents.flatMap(({ role, parts }) => parts.map(part => turnOf(role, part))),
    tools: body.tools?.flatMap(tool => tool.functionDeclarations.map(({ name }) => name)) ?? [],
    choice: choiceOf(body),
    schema: config.responseJsonSchema,
    maxTokens: config.maxOutputTokens,
    temperature: config.temperature,
    topP: config.topP,
    stops: config.stopSequences,
  }
}

const finishReasons: Readonly<Record<Finish, string>> = {
  stop: 'STOP',
  calls: 'STOP',
  length: 'MAX_TOKENS',
  filter: 'SAFETY',
}

export const answerGemini = ({ text, calls = [], finish = 'stop' }: Said): object => ({
  candidates: [
    {
      content: {
        role: 'model',
        parts: [
          ...(text === undefined ? [] : [{ text }]),
          ...calls.map(({ name, input }) => ({ functionCall: { name, args: input } })),
        ],
      },
      finishReason: finishReasons[finish],
      index: 0,
      safetyRatings: [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'NEGLIGIBLE' }],
    },
  ],
  usageMetadata: {
    promptTokenCount: usage.input,
    candidatesTokenCount: usage.output,
    totalTokenCount: usage.input + usage.output,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: usage.input }],
  },
  modelVersion: 'gemini-2.0-flash',
  responseId: 'mAitaLmkHPPlz7IPvtfUqQ4',
})

const rpc = 'type.googleapis.com/google.rpc'
const failure = (code: number, status: string, message: string, details: object[] = []) => ({
  status: code,
  body: { error: { code, message, status, details } },
})

const quota =
  'You exceeded your current quota, please check your plan and billing details. For more information on this error, ' +
  'head to: https://ai.google.dev/gemini-api/docs/rate-limits.\nPlease retry in 37.1s.'

export const geminiErrors: Readonly<Record<ErrorCase, KnownError>> = {
  throttled: {
    ...failure(429, 'RESOURCE_EXHAUSTED', quota, [
      {
        '@type': `${rpc}.QuotaFailure`,
        violations: [{ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier', quotaValue: '15' }],
      },
      { '@type': `${rpc}.Help`, links: [{ description: 'Learn more', url: 'https://ai.google.dev' }] },
      { '@type': `${rpc}.RetryInfo`, retryDelay: '37s' },
    ]),
    verdict: 'rate_limited/resource_exhausted',
    retryAfterMs: 37_000,
  },
  internal: {
    ...failure(500, 'INTERNAL', 'An internal error has occurred. Please retry or report.'),
    verdict: 'transient/internal',
  },
  unavailable: {
    ...failure(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'),
    verdict: 'overloaded/overloaded',
  },
  'bad key': {
    ...failure(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
      {
        '@type': `${rpc}.ErrorInfo`,
        reason: 'API_KEY_INVALID',
        domain: 'googleapis.com',
        metadata: { service: 'generativelanguage.googleapis.com' },
      },
      { '@type': `${rpc}.LocalizedMessage`, locale: 'en-US', message: 'API key not valid.' },
    ]),
    verdict: 'bad_credentials/api_key_invalid',
  },
  'unknown model': {
    ...failure(
      404,
      'NOT_FOUND',
      'models/gemini-9 is not found for API version v1beta, or is not supported for generateContent.',
    ),
    verdict: 'unknown_model/not_found',
  },
  'too long': {
    ...failure(
      400,
      'INVALID_ARGUMENT',
      'The input token count (1500000) exceeds the maximum number of tokens allowed (1048576).',
    ),
    verdict: 'too_long/prompt_too_long',
  },
}

const lost = [
  ['n', { n: 2 }],
  ['logprobs', { logprobs: true }],
  ['stop', { stop: ['a', 'b', 'c', 'd', 'e', 'f'] }],
  ['parallel_tool_calls', { parallel_tool_calls: false }],
] as const

/** Gemini's own format, which the Gemini API and Vertex AI share. */
export const gemini = {
  read: readGemini,
  answer: answerGemini,
  errors: geminiErrors,
  idOf: (id: string) => id,
  finishes: ['stop', 'length', 'calls', 'filter'],
  lost,
  takesPdf: true,
  byName: true,
} satisfies Partial<Vendor>

export const google: Vendor = {
  ...gemini,
  name: 'google',
  settings: url => ({ type: 'google', base_url: `${url}/v1beta` }),
  key: 'AIzaTest',
  model: 'gemini-2.0-flash',
  path: '/v1beta/models/gemini-2.0-flash:generateContent',
  checkAuth: ({ headers }) => {
    expect(headers['x-goog-api-key']).toBe('AIzaTest')
    expect(headers.authorization).toBeUndefined()
  },
  extras: [
    { body: { seed: 7 }, arrives: { generationConfig: { seed: 7 } } },
    {
      body: { response_format: { type: 'json_object' } },
      arrives: { generationConfig: { responseMimeType: 'application/json' } },
    },
  ],
}
