import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamResult,
} from '@ai-sdk/provider'
import { UntranslatableError } from './formats/format-adapter.ts'
import type { Supported } from './formats/supported.ts'

export interface Connection {
  /** What the AI SDK builds its addresses on; without a slash at the end. */
  readonly baseUrl: string
  readonly apiKey: string | null
  readonly fetch: typeof globalThis.fetch
}

/**
 * How the AI SDK asks a provider. The SDK's package is loaded with the first request that is to be
 * translated: most processes never meet one, and each package takes up to 30 MB and 100 ms.
 */
export interface SdkAdapter {
  /** `reasons`: whether the model thinks, as far as the config says. */
  supported(model: string, reasons: boolean | undefined): Supported
  generate(
    model: string,
    connection: Connection,
    options: LanguageModelV4CallOptions,
  ): Promise<LanguageModelV4GenerateResult>
  /** The same for an answer that is to come in parts. */
  stream(
    model: string,
    connection: Connection,
    options: LanguageModelV4CallOptions,
  ): Promise<LanguageModelV4StreamResult>
  /** Headers that the SDK makes for each request and that go along with it, lower case. */
  readonly headers: readonly string[]
  /**
   * The least that the SDK takes for a success. With it, each request is rehearsed: what the SDK would change
   * for this very model, and says so only beside the answer, is known before anything is sent.
   */
  readonly dryRunAnswer: object
}

/** What is used of a model of the SDK. */
interface SdkModel<Options> {
  doGenerate(options: Options): PromiseLike<LanguageModelV4GenerateResult>
  doStream(options: Options): PromiseLike<LanguageModelV4StreamResult>
}

/** Both ways to ask. `fitted`: the options as the package takes them. */
export const fittedCalls = <Options>(
  createModel: (
    model: string,
    connection: Connection,
    options: LanguageModelV4CallOptions,
  ) => Promise<SdkModel<Options>>,
  fitted: (options: LanguageModelV4CallOptions) => Options,
): Pick<SdkAdapter, 'generate' | 'stream'> => ({
  generate: async (model, connection, options) =>
    await (await createModel(model, connection, options)).doGenerate(fitted(options)),
  stream: async (model, connection, options) =>
    await (await createModel(model, connection, options)).doStream(fitted(options)),
})

/** Both for SDK packages that need nothing but a model made. */
export const callsOf = (
  createModel: (model: string, connection: Connection) => Promise<LanguageModelV4>,
): Pick<SdkAdapter, 'generate' | 'stream'> => fittedCalls(createModel, options => options)

type WithoutMax = Omit<LanguageModelV4CallOptions, 'reasoning'> & {
  readonly reasoning?: Exclude<LanguageModelV4CallOptions['reasoning'], 'max'>
}

/** For SDK packages that stand on a version without the highest effort. Throws UntranslatableError for it. */
export const withoutMaxEffort = ({ reasoning, ...options }: LanguageModelV4CallOptions): WithoutMax => {
  if (reasoning === 'max') throw new UntranslatableError('the effort "max"')
  return reasoning === undefined ? options : { ...options, reasoning }
}

/**
 * The SDK wants a key and would look for one in the environment; the key that counts is set by the provider
 * itself.
 */
export const unusedKey = 'unused'
