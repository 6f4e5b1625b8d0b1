import type { Endpoint, UpstreamDialect } from '../domain/endpoint.ts'
import type { Edit } from '../json/edits.ts'
import type { Catalogue } from './catalogue.ts'
import type { Access } from './credentials/access.ts'
import type { Reach } from './credentials/token-servers.ts'
import type { SdkAdapter } from './sdk-adapter.ts'

export interface NativeFacts {
  readonly model: string
  /** The most the model may answer, by the config. */
  readonly maxOutputTokens: number | undefined
}

/** What sets one provider type apart from another. */
export interface UpstreamType {
  readonly dialect: UpstreamDialect
  /** Where the API is when the config does not say; null where only the config can know it. */
  readonly baseUrl: string | null
  /** The endpoints whose format is its own. */
  readonly native: readonly Endpoint[]
  /** Where one of those is, from the root of the host. */
  nativePath(base: URL, endpoint: Endpoint, model: string): string
  /** The endpoints that are translated into its own format. */
  readonly translated: readonly Endpoint[]
  readonly sdk: SdkAdapter
  /**
   * Where a translated request goes. Null where the SDK's own address is right: it is built on the base, with `/model`
   * in it or not, as the API wants it.
   */
  readonly translatedTo: Endpoint | null
  /** What the SDK builds its addresses on, where that is not the base itself. */
  sdkBase?(base: string, model: string): string
  /**
   * Where its models are listed for free, from the root of the host, a page of one where the API has pages. Null where that
   * is at another host.
   */
  readonly listing: ((base: URL) => string) | null
  /** Where all of them are named; null where no list has what can be called there. */
  readonly catalogue: Catalogue | null
  /** Where the tokens of a messages request are counted, from the root of the host; absent where they cannot be. */
  countPath?(base: URL): string
  /** What has to be changed in a native body, by this type's own rules, so that it is taken; absent for nothing. */
  nativeEdits?(endpoint: Endpoint, text: string, facts: NativeFacts): readonly Edit[]
  /** The name of the limit of an answer's length, where newer models take no `max_tokens`. */
  readonly lengthLimit?: 'max_tokens' | 'max_completion_tokens'
  /** The headers that show the key, in lower case. */
  keyHeaders(apiKey: string, way: 'native' | 'translated'): Readonly<Record<string, string>>
  /** Headers of every call besides. */
  readonly headers?: Readonly<Record<string, string>>
  /** How calls show who makes them, where that is no key; absent where it is. Nothing is opened before the first call. */
  openAccess?(reach: Reach): Access
}
