import type {
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
} from '@ai-sdk/provider'
import type { SseEvent } from '../../domain/streaming/sse-event.ts'
import type { JsonObject } from '../../json/json-object.ts'
import type { FieldChange } from './field-rules.ts'
import type { Supported } from './supported.ts'
import type { ToolNames } from './tool-names.ts'

/** Facts of the answer that the AI SDK's result does not hold. */
export interface AnswerFacts {
  /** Used where the provider gave no id of its own. */
  readonly id: string
  readonly model: string
  /** Unix seconds. */
  readonly created: number
  readonly toolNames: ToolNames
  /** The client's request: answers in some formats repeat it. */
  readonly request: JsonObject
}

/** A request in the AI SDK's terms. */
export interface PreparedCall {
  readonly options: LanguageModelV4CallOptions
  /** Maps the names of tools: as the request has them, and as the provider gets them. */
  readonly toolNames: ToolNames
}

/**
 * One wire format on this side of the AI SDK, towards one model. Both directions throw on what they cannot
 * express.
 */
export interface FormatAdapter {
  /** Names the fields of a request body that the model cannot be given and that must not be dropped. */
  unsupported(body: JsonObject): readonly string[]
  /** The fields that can only be given with another value, or left out. */
  changes(body: JsonObject): readonly FieldChange[]
  /** `limit` is for bodies that name none of their own. */
  toCallOptions(body: JsonObject, limit: number | undefined): PreparedCall
  fromResult(result: LanguageModelV4GenerateResult, facts: AnswerFacts): object
  toEvents(facts: AnswerFacts): StreamEncoder
}

/** Puts the parts of one answer, as they come, into the events of a format. They come to what `fromResult` gives. */
export interface StreamEncoder {
  /**
   * The events for the next part; none for one that says nothing to a client. With the part `finish` the stream ends. Throws
   * on what the format cannot express, and MalformedAnswerError as `fromResult` does.
   */
  take(part: LanguageModelV4StreamPart): readonly SseEvent[]
}

/** The adapter of a client's format for a model that supports that much. */
export type CreateFormatAdapter = (supported: Supported) => FormatAdapter

/** The body cannot be expressed in AI SDK terms. The message names parameters, never a value. */
export class UntranslatableError extends Error {
  constructor(param: string) {
    super(`${param} cannot be translated for this provider`)
    this.name = 'UntranslatableError'
  }
}

/** The model's answer is malformed, though it reports that it is complete. */
export class MalformedAnswerError extends Error {
  override readonly name = 'MalformedAnswerError'
}
