import { type ClassifyContext, classify } from '../../../src/domain/classify/classify.ts'
import type { Verdict } from '../../../src/domain/classify/verdict.ts'
import type { UpstreamAnswer } from '../../../src/domain/upstream.ts'

/** Builders of what providers really send, for the tables of the classify tests. */

export const nowMs = Date.parse('2026-11-30T22:30:00Z')

export const openai: ClassifyContext = { endpoint: '/v1/chat/completions', dialect: 'openai', nowMs }
export const anthropic: ClassifyContext = { endpoint: '/v1/messages', dialect: 'anthropic', nowMs }
export const responses: ClassifyContext = { ...openai, endpoint: '/v1/responses' }
export const embeddings: ClassifyContext = { ...openai, endpoint: '/v1/embeddings' }
export const completions: ClassifyContext = { ...openai, endpoint: '/v1/completions' }

type Headers = Record<string, string>

export const json = (status: number, body: unknown, headers: Headers = {}): UpstreamAnswer => ({
  kind: 'answer',
  status,
  headers: { 'content-type': 'application/json', ...headers },
  text: JSON.stringify(body) ?? '',
  json: body,
})

export const raw = (status: number, text: string, headers: Headers = {}): UpstreamAnswer => ({
  kind: 'answer',
  status,
  headers,
  text,
  json: undefined,
})

export const html = (status: number, headers: Headers = {}): UpstreamAnswer =>
  raw(status, '\n<!DOCTYPE html><html><head><title>Attention required</title></head></html>', headers)

export const openaiError = (code: unknown, type: unknown = 'invalid_request_error', message = 'No.') => ({
  error: { message, type, param: null, code },
})

export const anthropicError = (type: string, message = 'No.', errorCode?: string) => ({
  type: 'error',
  error: { type, message, ...(errorCode === undefined ? {} : { details: { error_code: errorCode } }) },
  request_id: 'req_011CXx3wfgjahuFJxKWYVv48',
})

export const openaiFails = (status: number, ...error: Parameters<typeof openaiError>) =>
  json(status, openaiError(...error))

export const anthropicFails = (status: number, ...error: Parameters<typeof anthropicError>) =>
  json(status, anthropicError(...error))

export const chat = (finish_reason: string | null, message: unknown) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  choices: [{ index: 0, finish_reason, message, logprobs: null }],
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
})

export const says = (content: unknown) => ({ role: 'assistant', content, refusal: null })

export const message = (stop_reason: string | null, content: unknown) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  content,
  stop_reason,
  usage: { input_tokens: 5, output_tokens: 2 },
})

export const response = (status: string, more: object = {}) => ({
  id: 'resp_1',
  object: 'response',
  error: null,
  incomplete_details: null,
  output: [],
  status,
  ...more,
})

/** `kind/reason`: what most rows assert. */
export function verdictOf(answer: UpstreamAnswer, context: ClassifyContext): string {
  const { kind, reason }: Verdict = classify(answer, context)
  return `${kind}/${reason}`
}
