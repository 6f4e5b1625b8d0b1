import { randomUUID } from 'node:crypto'
import { holdsMore } from '../domain/classify/answer-formats.ts'
import type { Endpoint } from '../domain/endpoint.ts'
import { type Carriage, carriedWhole } from '../domain/routing/adjustments.ts'
import { canStream, type StreamedEndpoint } from '../domain/streaming/answer-fold.ts'
import type { UpstreamAnswer, UpstreamOutcome } from '../domain/upstream.ts'
import { isJsonObject, type JsonObject } from '../json/json-object.ts'
import { basePath } from './base-path.ts'
import { dryRun } from './dry-run.ts'
import { chatAdapter, messagesAdapter, responsesAdapter } from './formats/adapters.ts'
import { adjustmentsOf, withChanges } from './formats/field-rules.ts'
import {
  type CreateFormatAdapter,
  type FormatAdapter,
  UntranslatableError,
} from './formats/format-adapter.ts'
import type { UpstreamRequest } from './provider.ts'
import type { Connection } from './sdk-adapter.ts'
import { Seals, sealedOfAnswers, sealedOfRequests } from './seals.ts'
import type { StreamPaces } from './stream-limits.ts'
import { createStreamedTranslation } from './translate-stream.ts'
import { endOf, isAnswerOf, isFailure, isSuccess, opened, outcomeOfFailure } from './translation-outcomes.ts'
import type { Exchange, Prepared, Send } from './translation-parts.ts'
import type { UpstreamType } from './upstream-type.ts'

export interface TranslationOptions {
  readonly type: UpstreamType
  readonly base: URL
  readonly send: Send
  /** How long streams may keep silent. */
  readonly paces: StreamPaces
  /** Whether the model thinks, as far as the config says. */
  readonly reasons: Reasons
  now(): number
}

export type Reasons = (model: string) => boolean | undefined

export interface Translation {
  carriage(model: string, body: unknown): Carriage
  call(request: UpstreamRequest): Promise<UpstreamOutcome>
}

const adapters: Readonly<Partial<Record<StreamedEndpoint, CreateFormatAdapter>>> = {
  '/v1/chat/completions': chatAdapter,
  '/v1/messages': messagesAdapter,
  '/v1/responses': responsesAdapter,
}

const once = <Value>(make: (name: string) => Value): ((name: string) => Value) => {
  const made = new Map<string, Value>()
  return name => {
    const value = made.get(name) ?? make(name)
    made.set(name, value)
    return value
  }
}

const picked = (init: RequestInit | undefined, names: readonly string[]): Record<string, string> => {
  const headers = new Headers(init?.headers)
  return Object.fromEntries(names.flatMap(name => (headers.has(name) ? [[name, headers.get(name)!]] : [])))
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
  endpoint: StreamedEndpoint,
  { type, base, send, now, reasons, paces }: TranslationOptions,
): Translation => {
  const { sdk, translatedTo } = type
  const towards = once((model: string) => {
    const supported = sdk.supported(model, reasons(model))
    return { adapter: createAdapter(supported), limit: supported.defaultLimit }
  })
  const dialect = type.dialect === 'anthropic' ? 'anthropic' : 'openai'
  const root = base.origin + basePath(base)

  const prepare = async (request: UpstreamRequest, seals: Seals): Promise<Prepared> => {
    const { model } = request
    const body: unknown = JSON.parse(seals.seal(request.body, sealedOfRequests[endpoint]))
    if (!isJsonObject(body)) throw new UntranslatableError('body')
    const { adapter, limit } = towards(model)
    const { options, toolNames } = adapter.toCallOptions(
      fitted(body, adapter, request.adjust),
      request.maxOutputTokens ?? limit,
    )
    await dryRun(sdk, model, options)
    return {
      body,
      adapter,
      options,
      facts: { id: randomUUID(), model, created: Math.floor(now() / 1000), toolNames, request: body },
    }
  }

  const pathOf = (url: string, model: string): string => {
    if (translatedTo !== null) return type.nativePath(base, translatedTo, model)
    const { pathname, search } = new URL(url)
    return pathname + search
  }

  const connectionOf = (
    { model, apiKey }: UpstreamRequest,
    seals: Seals,
    exchange: Exchange,
  ): Connection => ({
    baseUrl: type.sdkBase?.(root, model) ?? root,
    apiKey,
    fetch: (url, init) =>
      exchange(pathOf(String(url), model), seals.open(String(init?.body)), picked(init, sdk.headers)),
  })

  const whole = async (request: UpstreamRequest, send: Send): Promise<UpstreamOutcome> => {
    const seals = new Seals()
    let raw: UpstreamOutcome | null = null
    let headers: UpstreamAnswer['headers'] = {}
    const exchange: Exchange = async (path, body, made) => {
      const outcome = await send(path, body, request, made)
      raw = outcome
      if (!isSuccess(outcome) || !isAnswerOf(type.dialect, outcome.json))
        throw new Error('nothing to translate')
      headers = outcome.headers
      return new Response(seals.seal(outcome.text, sealedOfAnswers[type.dialect]))
    }
    try {
      const { adapter, options, facts } = await prepare(request, seals)
      const result = await sdk.generate(request.model, connectionOf(request, seals, exchange), options)
      const finish = endOf(result.finishReason)
      if (raw !== null && (isFailure(finish) || holdsMore((raw as UpstreamAnswer).json)))
        return { ...(raw as UpstreamAnswer), finish, untold: 'untranslatable' }
      return {
        kind: 'answer',
        status: 200,
        headers,
        ...opened(adapter.fromResult(result, facts), seals),
        finish,
      }
    } catch (error) {
      return outcomeOfFailure(raw, dialect, error)
    }
  }

  const carriage = (model: string, body: unknown): Carriage => {
    if (!isJsonObject(body)) return { ...carriedWhole, excluded: ['body'] }
    const { adapter } = towards(model)
    return { excluded: adapter.unsupported(body), adjustments: adjustmentsOf(adapter.changes(body)) }
  }

  const streamed = createStreamedTranslation({
    ...{ type, endpoint, dialect, paces, send, prepare, connectionOf },
    whole: (request, answer) => whole(request, async () => answer),
  })

  return {
    carriage,
    call: request =>
      request.stream === undefined ? whole(request, send) : streamed(request, request.stream),
  }
}

/** One for each endpoint that the type serves by translation. */
export const createTranslations = (options: TranslationOptions): ReadonlyMap<Endpoint, Translation> =>
  new Map(
    options.type.translated.filter(canStream).flatMap((endpoint): [Endpoint, Translation][] => {
      const createAdapter = adapters[endpoint]
      return createAdapter ? [[endpoint, createTranslation(createAdapter, endpoint, options)]] : []
    }),
  )
