import type { SharedV4ProviderOptions } from '@ai-sdk/provider'
import type { JsonObject } from './json.ts'

/** Whether a value can be given as it stands; `owner` is the body it stands in. */
export type Allowed = (value: unknown, owner: JsonObject) => boolean

/** What the AI SDK has no setting of its own for: each provider is told in its own options, or not at all. */
export interface Wishes {
  /** At most one tool call in the answer. */
  readonly oneToolOnly: boolean
  /** Who is behind the request, as the provider may be told. */
  readonly userId: string | undefined
  /** The answer must keep to the JSON schema to the letter. */
  readonly strictSchema: boolean
}

/**
 * What the models of a provider can be given. A request that asks for more is not sent there: nothing is dropped in
 * silence. Ranges are the provider's documented ones where the AI SDK or the provider would bend a value instead of
 * refusing it.
 */
export interface Reach {
  readonly temperature: Allowed
  readonly topP: Allowed
  readonly topK: boolean
  readonly seed: boolean
  /** Of `presence_penalty` and `frequency_penalty`; 0 says nothing and always passes. */
  readonly penalty: Allowed
  readonly stops: (sequences: readonly unknown[]) => boolean
  /** Whether it can be told to call one tool at a time. */
  readonly oneToolOnly: boolean
  readonly strictTools: boolean
  /** Images that are not inline. */
  readonly imageUrl: (url: string) => boolean
  /** Inline PDFs. */
  readonly pdf: boolean
  /** Whether it has a JSON mode without a schema; otherwise it is told so in words. */
  readonly jsonMode: boolean
  /** Ids made by other providers may not fit; call and result change alike. */
  toolCallId(id: string): string
  options(wishes: Wishes): SharedV4ProviderOptions
}

export const anything: Allowed = () => true
export const nothing: Allowed = () => false

export const within =
  (least: number, most: number): Allowed =>
  value =>
    typeof value === 'number' && value >= least && value <= most

export const atMost =
  (count: number) =>
  (sequences: readonly unknown[]): boolean =>
    sequences.length <= count

const imageTypes: Readonly<Record<string, string>> = {
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
  return imageTypes[ending?.toLowerCase() ?? ''] ?? 'image/*'
}

/** For providers that must be told what kind of image stands at an address. */
export const namesImageType = (url: string): boolean => imageTypeOf(url) !== 'image/*'

/** The ids that Anthropic and Bedrock take. */
export const wordId = (id: string): string => id.replaceAll(/[^\w-]/g, '_')

/** The least that all share; each type spreads it and says where it differs. */
export const commonReach: Reach = {
  temperature: anything,
  topP: anything,
  topK: false,
  seed: false,
  penalty: nothing,
  stops: () => true,
  oneToolOnly: false,
  strictTools: true,
  imageUrl: () => true,
  pdf: true,
  jsonMode: true,
  toolCallId: id => id,
  options: () => ({}),
}
