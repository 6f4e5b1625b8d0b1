import { randomUUID } from 'node:crypto'
import type { LanguageModelV4GenerateResult } from '@ai-sdk/provider'
import { holdsMore, isInFormatOf } from '../domain/classify/answer-formats.ts'
import { factsInAnswer } from '../domain/classify/error-in-answer.ts'
import { finishWord, meaningOf } from '../domain/classify/finish-words.ts'
import type { Dialect, Endpoint, UpstreamDialect } from '../domain/endpoint.ts'
import { type Carriage, carriedWhole } from '../domain/routing/adjustments.ts'
import type { UpstreamAnswer, UpstreamOutcome } from '../domain/upstream.ts'
import { isJsonObject, type JsonObject } from '../json/json-object.ts'
import { basePath } from './base-path.ts'
import { dryRun } from './dry-run.ts'
import { chatAdapter, messagesAdapter } from './formats/adapters.ts'
import { adjustmentsOf, withChanges } from './formats/field-rules.ts'
import {
  type CreateFormatAdapter,
  type FormatAdapter,
  MalformedAnswerError,
  UntranslatableError,
} from './formats/format-adapter.ts'
import type { UpstreamRequest } from './provider.ts'
import { Seals, sealedOfAnswers, sealedOfRequests } from './seals.ts'
import type { UpstreamType } from './upstream-type.ts'

/** Posts a body in the provider's own format. `made`: headers that the AI SDK made for this request. */
export type Send = (
  path: string,
  body: string,
  request: UpstreamRequest,
  made: Readonly<Record<string, string>>,
) => Promise<UpstreamOutcome>

export interface TranslationOptions {
  readonly type: UpstreamType
  readonly base: URL
  readonly send: Send
  /** Whether the model thinks, as far as the config says. */
  readonly reasons: Reasons
  now(): number
}

export type Reasons = (model: string) => boolean | undefined

export interface Translation {
  carriage(model: string, body: unknown): Carriage
  call(request: UpstreamRequest): Promise<UpstreamOutcome>
}

const adapters: Readonly<Partial<Record<Endpoint, CreateFormatAdapter>>> = {
  '/v1/chat/completions': chatAdapter,
  '/v1/messages': messagesAdapter,
}

const once = <Value>(make: (name: string) => Value): ((name: string) => Value) => {
  const made = new Map<string, Value>()
  return name => {
    const value = made.get(name) ?? make(name)
    made.set(name, value)
    return value
  }
}

const isSuccess = (outcome: UpstreamOutcome): outcome is UpstreamAnswer =>
  outcome.kind === 'answer' && outcome.status >= 200 && outcome.status < 300

/** The SDKs would take an error, or any other JSON, for an empty answer. */
const isAnswerOf = (dialect: UpstreamDialect, json: unknown): boolean =>
  isJsonObject(json) && factsInAnswer(json) === null && isInFormatOf(dialect, json)

/** The provider's own finish reason, unless only the SDK knows that it means a refusal. */
const endOf = ({ finishReason: { raw, unified } }: LanguageModelV4GenerateResult): string | null =>
  unified === 'content-filter' && ['ok', undefined].includes(meaningOf(finishWord(raw)))
    ? 'content_filter'
    : (raw ?? null)

/**
 * The format of the client may have no word for it, and the provider has more to say of it than fits there.
 */
const isFailure = (finish: string | null): boolean => {
  const meaning = meaningOf(finishWord(finish))
  return meaning !== undefined && meaning !== 'ok' && meaning !== 'refused'
}

/** An answer in the client's format, with the inputs of tools as the model wrote them. */
const opened = (made: object, seals: Seals): Pick<UpstreamAnswer, 'text' | 'json'> => {
  const written = JSON.stringify(made)
  const text = seals.open(written)
  return { text, json: text === written ? made : JSON.parse(text) }
}

const picked = (init: RequestInit | undefined, names: readonly string[]): Record<string, string> => {
  const headers = new Headers(init?.headers)
  return Object.fromEntries(names.flatMap(name => (headers.has(name) ? [[name, headers.get(name)!]] : [])))
}

/**
 * Stands in for the provider's answer to a request that could not be put into its format, so was never sent:
 * the caller's doing, hence a 400, in a shape that is judged as such in any dialect, and no fault of the
 * provider.
 */
const untranslatable = (dialect: Dialect, message: string): UpstreamAnswer => {
  const error = { type: 'invalid_request_error', message }
  const json =
    dialect === 'anthropic'
      ? { type: 'error', error: { ...error, code: 'untranslatable' }, request_id: null }
      : { error: { ...error, param: null, code: 'untranslatable' } }
  return { kind: 'answer', status: 400, headers: {}, text: JSON.stringify(json), json }
}

const reasonOf = (error: unknown): string => {
  if (error instanceof UntranslatableError) return error.message
  // The stack was not enough for what the SDK writes by recursion.
  if (error instanceof RangeError)
    return 'the request is nested too deeply to be translated for this provider'
  return 'the request cannot be translated for this provider'
}

/** What a failed translation comes to, by how far the call had gone. */
const outcomeOfFailure = (raw: UpstreamOutcome | null, dialect: Dialect, error: unknown): UpstreamOutcome => {
  if (raw === null) return untranslatable(dialect, reasonOf(error))
  if (!isSuccess(raw)) return raw
  // Paid for, so it is judged as it came and given to the job's owner. The SDK's error holds the request and
  // stays here.
  return { ...raw, untold: error instanceof MalformedAnswerError ? 'malformed' : 'untranslatable' }
}

/** The body as the target takes it. Throws where that needs more than the request allows. */
const fitted = (body: JsonObject, adapter: FormatAdapter, mayAdjust: boolean): JsonObject => {
  const changes = adapter.changes(body)
  const adjusted = mayAdjust ? [] : adjustmentsOf(changes).map(({ field }) => field)
  const lost = [...new Set([...adapter.unsupported(body), ...adjusted])]
  if (lost.length > 0) throw new UntranslatableError(lost.join(', '))
  return withChanges(body, changes)
}

const createTranslation = (
  createAdapter: CreateFormatAdapter,
  endpoint: Endpoint,
  { type, base, send, now, reasons }: TranslationOptions,
): Translation => {
  const { sdk, translatedTo } = type
  const towards = once((model: string) => {
    const supported = sdk.supported(model, reasons(model))
    return { adapter: createAdapter(supported), limit: supported.defaultLimit }
  })
  const dialect = type.dialect === 'anthropic' ? 'anthropic' : 'openai'
  const root = base.origin + basePath(base)

  const generate = async (request: UpstreamRequest, seals: Seals, fetch: typeof globalThis.fetch) => {
    const { model, apiKey } = request
    const body: unknown = JSON.parse(seals.seal(request.body, sealedOfRequests[endpoint]))
    if (!isJsonObject(body)) throw new UntranslatableError('body')
    const { adapter, limit } = towards(model)
    const { options, toolNames } = adapter.toCallOptions(
      fitted(body, adapter, request.adjust),
      request.maxOutputTokens ?? limit,
    )
    await dryRun(sdk, model, options)
    const baseUrl = type.sdkBase?.(root, model) ?? root
    const written = (text: string): string => seals.open(text)
    const result = await sdk.generate(model, { baseUrl, apiKey, fetch, now, written }, options)
    return { result, adapter, toolNames }
  }

  const pathOf = (url: string, model: string): string => {
    if (translatedTo !== null) return type.nativePath(base, translatedTo, model)
    const { pathname, search } = new URL(url)
    return pathname + search
  }

  const call = async (request: UpstreamRequest): Promise<UpstreamOutcome> => {
    const seals = new Seals()
    let raw: UpstreamOutcome | null = null
    let headers: UpstreamAnswer['headers'] = {}
    const fetch: typeof globalThis.fetch = async (url, init) => {
      const path = pathOf(String(url), request.model)
      const outcome = await send(path, seals.open(String(init?.body)), request, picked(init, sdk.headers))
      raw = outcome
      if (!isSuccess(outcome) || !isAnswerOf(type.dialect, outcome.json))
        throw new Error('nothing to translate')
      headers = outcome.headers
      return new Response(seals.seal(outcome.text, sealedOfAnswers[type.dialect]))
    }
    try {
      const { result, adapter, toolNames } = await generate(request, seals, fetch)
      const finish = endOf(result)
      if (raw !== null && (isFailure(finish) || holdsMore((raw as UpstreamAnswer).json)))
        return { ...(raw as UpstreamAnswer), finish, untold: 'untranslatable' }
      const created = Math.floor(now() / 1000)
      const made = adapter.fromResult(result, { id: randomUUID(), model: request.model, created, toolNames })
      return { kind: 'answer', status: 200, headers, ...opened(made, seals), finish }
    } catch (error) {
      return outcomeOfFailure(raw, dialect, error)
    }
  }

  const carriage = (model: string, body: unknown): Carriage => {
    if (!isJsonObject(body)) return { ...carriedWhole, excluded: ['body'] }
    const { adapter } = towards(model)
    return { excluded: adapter.unsupported(body), adjustments: adjustmentsOf(adapter.changes(body)) }
  }

  return { carriage, call }
}

/** One for each endpoint that the type serves by translation. */
export const createTranslations = (options: TranslationOptions): ReadonlyMap<Endpoint, Translation> =>
  new Map(
    options.type.translated.flatMap((endpoint): [Endpoint, Translation][] => {
      const createAdapter = adapters[endpoint]
      return createAdapter ? [[endpoint, createTranslation(createAdapter, endpoint, options)]] : []
    }),
  )
