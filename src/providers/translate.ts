import { randomUUID } from 'node:crypto'
import type { LanguageModelV4 } from '@ai-sdk/provider'
import type { Dialect, Endpoint } from '../domain/endpoint.ts'
import type { UpstreamAnswer, UpstreamOutcome } from '../domain/upstream.ts'
import { messagesEdge } from './edges/anthropic-messages.ts'
import { type Edge, UntranslatableError } from './edges/edge.ts'
import { isJsonObject } from './edges/json.ts'
import { chatEdge } from './edges/openai-chat.ts'
import type { UpstreamRequest } from './provider.ts'

export interface TranslationOptions {
  /** The format the provider speaks; the other one is translated. */
  readonly dialect: Dialect
  /** Posts a body in the provider's own format to one of its native endpoints. */
  send(
    endpoint: Endpoint,
    body: string,
    request: UpstreamRequest,
    extraHeaders?: Readonly<Record<string, string>>,
  ): Promise<UpstreamOutcome>
  now(): number
  /** Betas that the config asks for; the AI SDK adds those that a request needs. */
  readonly betas: string | undefined
}

export interface Translation {
  cannotCarry(body: unknown): readonly string[]
  call(request: UpstreamRequest): Promise<UpstreamOutcome>
}

/** For requests without a limit to models without one in the config: what every Claude model allows. */
const defaultMaxOutputTokens = 4096

interface Way {
  readonly edge: Edge
  readonly endpoint: Endpoint
  createModel(
    modelId: string,
    fetch: typeof globalThis.fetch,
    betas: string | undefined,
  ): Promise<LanguageModelV4>
}

// The SDK wants a key and a base: it would look for them in the environment. Neither is used: `send` sets its own.
const unused = { apiKey: 'unused', baseURL: 'http://unused' }

/**
 * How requests reach a provider of each dialect. The SDK is loaded with the first request to be translated: most
 * workers never meet one, and it takes 30 MB.
 */
const ways: Readonly<Record<Dialect, Way>> = {
  anthropic: {
    edge: chatEdge,
    endpoint: '/v1/messages',
    createModel: async (modelId, fetch, betas) => {
      const { createAnthropic } = await import('@ai-sdk/anthropic')
      return createAnthropic({ ...unused, fetch, headers: betas ? { 'anthropic-beta': betas } : {} })(modelId)
    },
  },
  openai: {
    edge: messagesEdge,
    endpoint: '/v1/chat/completions',
    createModel: async (modelId, fetch) => {
      const { createOpenAI } = await import('@ai-sdk/openai')
      return createOpenAI({ ...unused, fetch }).chat(modelId)
    },
  },
}

const isSuccess = (outcome: UpstreamOutcome): outcome is UpstreamAnswer =>
  outcome.kind === 'answer' && outcome.status >= 200 && outcome.status < 300

const betaHeader = (init: RequestInit | undefined): Record<string, string> => {
  const betas = new Headers(init?.headers).get('anthropic-beta')
  return betas === null ? {} : { 'anthropic-beta': betas }
}

/**
 * Stands in for the provider's answer to a request that could not be put into its format, so was never sent: the caller's
 * doing, hence a 400 in the provider's own error shape, and no fault of the provider.
 */
const untranslatable = (dialect: Dialect, message: string): UpstreamAnswer => {
  const error = { type: 'invalid_request_error', message }
  const json =
    dialect === 'anthropic'
      ? { type: 'error', error, request_id: null }
      : { error: { ...error, param: null, code: 'untranslatable' } }
  return { kind: 'answer', status: 400, headers: {}, text: JSON.stringify(json), json }
}

/** What a failed translation comes to, by how far the call had gone. */
const outcomeOfFailure = (raw: UpstreamOutcome | null, dialect: Dialect, error: unknown): UpstreamOutcome => {
  if (raw === null) {
    const known = error instanceof UntranslatableError
    return untranslatable(
      dialect,
      known ? error.message : 'the request cannot be translated for this provider',
    )
  }
  if (!isSuccess(raw)) return raw
  // The SDK's errors hold the request and the answer, and JSON.parse quotes its input: only the name goes on from here.
  const name = error instanceof Error ? error.name : typeof error
  const cause = new Error(`the answer could not be translated: ${name}`)
  return { kind: 'break', reason: 'protocol', sent: true, cause }
}

export const createTranslation = (options: TranslationOptions): Translation => {
  const { dialect, send, now, betas } = options
  const { edge, endpoint, createModel } = ways[dialect]

  const generate = async (request: UpstreamRequest, fetch: typeof globalThis.fetch) => {
    const body: unknown = JSON.parse(request.body)
    if (!isJsonObject(body)) throw new UntranslatableError('body')
    const limit = request.maxOutputTokens ?? defaultMaxOutputTokens
    const callOptions = edge.toCallOptions(body, limit)
    return (await createModel(request.model, fetch, betas)).doGenerate(callOptions)
  }

  const call = async (request: UpstreamRequest): Promise<UpstreamOutcome> => {
    let raw: UpstreamOutcome | null = null
    let headers: UpstreamAnswer['headers'] = {}
    const fetch: typeof globalThis.fetch = async (_url, init) => {
      const outcome = await send(endpoint, String(init?.body), request, betaHeader(init))
      raw = outcome
      if (!isSuccess(outcome)) throw new Error('nothing to translate')
      headers = outcome.headers
      return new Response(outcome.text)
    }
    try {
      const result = await generate(request, fetch)
      const facts = { id: randomUUID(), model: request.model, created: Math.floor(now() / 1000) }
      const json = edge.fromResult(result, facts)
      return { kind: 'answer', status: 200, headers, text: JSON.stringify(json), json }
    } catch (error) {
      return outcomeOfFailure(raw, dialect, error)
    }
  }

  return { cannotCarry: body => (isJsonObject(body) ? edge.cannotCarry(body) : ['body']), call }
}
