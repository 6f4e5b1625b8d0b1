import type { LanguageModelV4CallOptions, LanguageModelV4GenerateResult } from '@ai-sdk/provider'
import type { Carriage } from '../../domain/carriage.ts'
import type { JsonObject } from './json.ts'
import type { Reach } from './reach.ts'

/** Facts of the answer that the AI SDK's result does not hold. */
export interface AnswerFacts {
  /** Used where the provider gave no id of its own. */
  readonly id: string
  readonly model: string
  /** Unix seconds. */
  readonly created: number
}

/** One wire format on this side of the AI SDK. Both directions throw on what they cannot express. */
export interface Edge {
  /** What would be lost of a request body on the way to `model`. */
  carriage(body: JsonObject, model: string): Carriage
  /** `maxOutputTokens` is for bodies that name no limit of their own. */
  toCallOptions(body: JsonObject, maxOutputTokens: number | undefined): LanguageModelV4CallOptions
  fromResult(result: LanguageModelV4GenerateResult, facts: AnswerFacts): object
}

/** The edge of a client's format towards a provider whose models reach that far. */
export type CreateEdge = (reach: Reach) => Edge

/** The body cannot be expressed in AI SDK terms. The message names a parameter, never a value. */
export class UntranslatableError extends Error {
  constructor(param: string) {
    super(`${param} cannot be translated for this provider`)
    this.name = 'UntranslatableError'
  }
}

/** The model spoiled its answer, though it says that it is done. */
export class MalformedAnswerError extends Error {
  override readonly name = 'MalformedAnswerError'
}
