import type { LanguageModelV4CallOptions } from '@ai-sdk/provider'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import type { JsonObject } from '../json/json-object.ts'
import type { AnswerFacts, FormatAdapter } from './formats/format-adapter.ts'
import type { UpstreamRequest } from './provider.ts'
import type { StreamedBody } from './transport.ts'

/** Posts a body in the provider's own format. `made`: headers that the AI SDK made for this request. */
export type Send = (
  path: string,
  body: string,
  request: Pick<UpstreamRequest, 'apiKey' | 'headers' | 'signal'>,
  made: Readonly<Record<string, string>>,
  stream?: StreamedBody,
) => Promise<UpstreamOutcome>

/** A request as the SDK takes it, and what its answer is put into the client's format with. */
export interface Prepared {
  readonly body: JsonObject
  readonly adapter: FormatAdapter
  readonly options: LanguageModelV4CallOptions
  readonly facts: AnswerFacts
}

/** How the SDK's request, as it goes out, becomes the answer that the SDK reads. */
export type Exchange = (
  path: string,
  body: string,
  made: Readonly<Record<string, string>>,
) => Promise<Response>
