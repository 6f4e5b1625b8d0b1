import type { LanguageModelV4CallOptions } from '@ai-sdk/provider'
import { UntranslatableError } from './formats/format-adapter.ts'
import { type SdkAdapter, unusedKey } from './sdk-adapter.ts'

/** Files are left out: the SDK warns of none, and encoding them twice would cost. */
const withoutFiles = (options: LanguageModelV4CallOptions): LanguageModelV4CallOptions => ({
  ...options,
  prompt: options.prompt.map(turn =>
    turn.role === 'user' ? { ...turn, content: turn.content.filter(part => part.type !== 'file') } : turn,
  ),
})

/** A rehearsal takes a tenth of a millisecond and more; text and a limit are carried by all. */
const isPlain = ({
  prompt,
  maxOutputTokens: _,
  providerOptions: __,
  ...settings
}: LanguageModelV4CallOptions) =>
  Object.values(settings).every(value => value === undefined) && !prompt.some(({ role }) => role === 'tool')

/**
 * Asks the SDK what it would change in a request to this model, without sending anything. Throws UntranslatableError,
 * naming the setting in the SDK's words, when that is anything: whatever may be changed has been by now, and is said.
 */
export const dryRun = async (
  sdk: SdkAdapter,
  model: string,
  options: LanguageModelV4CallOptions,
): Promise<void> => {
  if (isPlain(options)) return
  const answer = JSON.stringify(sdk.dryRunAnswer)
  const connection = {
    baseUrl: 'http://unused',
    apiKey: unusedKey,
    fetch: async () => new Response(answer),
  }
  const { warnings } = await sdk.generate(model, connection, withoutFiles(options))
  const lost = warnings.flatMap(warning => ('feature' in warning ? [warning.feature] : []))
  if (lost.length > 0) throw new UntranslatableError([...new Set(lost)].join(', '))
}
