import type { LanguageModelV4CallOptions } from '@ai-sdk/provider'
import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import { type Effort, nearestEffort } from './effort.ts'
import { type FieldRule, keep, leaveOut, unless } from './field-rules.ts'
import { inlineData } from './media-types.ts'
import type { IdRule } from './tool-call-ids.ts'
import type { NameRule } from './tool-names.ts'

/** Whether a value can be given as it stands; `owner` is the body it stands in. */
export type IsSupported = (value: unknown, owner: JsonObject) => boolean

/** What a request asks for that each provider takes in its own form, or not at all. */
export interface ProviderHints {
  /** At most one tool call in the answer. */
  readonly oneToolOnly: boolean
  /** The end user's id, for providers that take one. */
  readonly userId: string | undefined
  /** The answer must keep to the JSON schema to the letter. */
  readonly strictSchema: boolean
  readonly effort: Effort | undefined
  /** Tokens that thought may take, or how it is left to the model, in Anthropic's words. */
  readonly thinking: 'adaptive' | 'disabled' | number | undefined
  readonly maxOutputTokens: number | undefined
}

export type Settings = Partial<
  Pick<LanguageModelV4CallOptions, 'reasoning' | 'maxOutputTokens' | 'providerOptions'>
>

/**
 * What a model can be given. A request that asks for more is not sent there as it stands: nothing is dropped
 * in silence. Ranges are the provider's documented ones where the AI SDK or the provider would bend a value
 * instead of refusing it.
 */
export interface Supported {
  readonly temperature: FieldRule
  readonly topP: FieldRule
  readonly topK: FieldRule
  readonly seed: FieldRule
  /** For `presence_penalty` and `frequency_penalty`; 0 asks for nothing and never comes here. */
  readonly penalty: FieldRule
  readonly effort: FieldRule
  /** For a thinking budget, or its absence, as Anthropic's clients ask for it. */
  readonly thinking: FieldRule
  /** A limit of the answer's length. */
  readonly maxTokens: FieldRule
  readonly user: FieldRule
  /**
   * Sent where neither the request nor the config limits the answer; absent where the provider demands no
   * limit: a model's own default is better than a guess.
   */
  readonly defaultLimit?: number
  readonly stops: (sequences: readonly unknown[]) => boolean
  /** Whether it can be restricted to one tool call at a time. */
  readonly oneToolOnly: boolean
  readonly strictTools: boolean
  /** Whether it can be made to call a tool. */
  readonly forcedTools: boolean
  /** Whether calls and results of earlier turns are refused where the request has no tools. */
  readonly needsTools: boolean
  /** Whether its answer keeps to a JSON schema. */
  readonly jsonSchema: IsSupported
  /** Whether it has a JSON mode without a schema; otherwise an instruction asks for JSON. */
  readonly jsonMode: boolean
  readonly imageTypes: readonly string[]
  /** Images that are not inline. */
  readonly imageUrl: (url: string) => boolean
  /** Inline PDFs. */
  readonly pdf: boolean
  /** Whether it refuses texts of nothing but white space, and a last word that ends in it. */
  readonly refusesBlanks: boolean
  /** Which reasoning of earlier turns it is shown: none, its own that bears its signature, or any text. */
  readonly earlierReasoning: 'none' | 'signed' | 'text'
  readonly toolCallIds: IdRule
  readonly toolNames: NameRule
  settings(hints: ProviderHints): Settings
}

export const always: IsSupported = () => true

export const atMost =
  (count: number) =>
  (sequences: readonly unknown[]): boolean =>
    sequences.length <= count

const imageEndings: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
}

/** The media type that an address's ending names; `image/*` when it names none. */
export const imageTypeOf = (url: string): string => {
  const ending = URL.canParse(url) ? /\.(\w+)$/.exec(new URL(url).pathname)?.[1] : undefined
  return imageEndings[ending?.toLowerCase() ?? ''] ?? 'image/*'
}

/** For providers that need the type of an image at a URL. */
export const namesImageType = (url: string): boolean => imageTypeOf(url) !== 'image/*'

/** Whether an image, inline or at an address, can be shown. */
export const showsImage = ({ imageTypes, imageUrl }: Supported, url: string): boolean => {
  if (!/^data:/i.test(url)) return URL.canParse(url) && imageUrl(url)
  const inline = inlineData(url)
  return inline !== null && imageTypes.includes(inline.mediaType)
}

const asksForBudget = (thinking: unknown): boolean => isJsonObject(thinking) && thinking.type === 'enabled'

/** Words of letters, digits, _ and -, as most take them for names. */
export const wordNames = (maxLength: number): NameRule => ({
  pattern: /^[\w-]+$/,
  foreign: /[^\w-]/g,
  maxLength,
})

/** As OpenAI takes them: anything, but no longer than 40. */
export const openaiIds: IdRule = { pattern: /^.{1,40}$/s, prefix: 'call_', digestLength: 24 }

/** As Anthropic and Bedrock take them. */
export const wordIds: IdRule = {
  pattern: /^[\w-]{1,64}$/,
  foreign: /[^\w-]/g,
  prefix: 'toolu_',
  digestLength: 24,
}

/** What all share at least; each type spreads it and overrides where it differs. */
export const commonSupport: Supported = {
  temperature: keep,
  topP: keep,
  topK: leaveOut,
  seed: leaveOut,
  penalty: leaveOut,
  effort: nearestEffort([]),
  // A budget in tokens has no counterpart; to think as much as the model sees fit, or not at all, asks for
  // nothing.
  thinking: unless(value => !asksForBudget(value), leaveOut),
  maxTokens: keep,
  user: leaveOut,
  stops: () => true,
  oneToolOnly: false,
  strictTools: true,
  forcedTools: true,
  needsTools: false,
  jsonSchema: always,
  jsonMode: true,
  imageTypes: ['image/png', 'image/jpeg', 'image/webp', 'image/gif'],
  imageUrl: () => true,
  pdf: true,
  refusesBlanks: false,
  earlierReasoning: 'none',
  toolCallIds: { pattern: /^.+$/s, prefix: 'call_', digestLength: 24 },
  toolNames: wordNames(64),
  settings: ({ effort }) => ({ reasoning: effort }),
}
