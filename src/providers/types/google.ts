import { basePath, withoutVersion } from '../base-path.ts'
import { onePage } from '../catalogue.ts'
import { type Effort, efforts, nearestEffort } from '../formats/effort.ts'
import { clamp, integerWithin, keep, leaveOut } from '../formats/field-rules.ts'
import { atMost, commonSupport, namesImageType } from '../formats/supported.ts'
import { callsOf, type SdkAdapter, unusedKey } from '../sdk-adapter.ts'
import type { UpstreamType } from '../upstream-type.ts'

/** Levels of thought, of Gemini 3 and later; budgets, of 2.5; none before. */
const effortsOf = (model: string, reasons: boolean | undefined): readonly Effort[] => {
  if (reasons === false || /(?:^|[/.])gemini-(?:1|2\.0|pro(?:-vision)?$)|gemma|robotics-er-1\.5/i.test(model))
    return []
  if (/gemini-2\.5-pro|gemini-3-pro-image/i.test(model)) return budgets.filter(effort => effort !== 'none')
  if (/gemini-2\.5/i.test(model)) return budgets
  if (!/(?:^|[/.])gemini-/i.test(model)) return reasons ? budgets : []
  if (/gemini-4-hydrogen/i.test(model)) return ['low', 'medium', 'high', 'xhigh']
  return hasNoMinimum(model) ? ['low', 'medium', 'high'] : ['minimal', 'low', 'medium', 'high']
}

const budgets = efforts

/** The pro models, and the flash models from 3.7 on. */
const hasNoMinimum = (model: string): boolean => {
  const [, major, minor = '0', kind] =
    /gemini-(\d+)(?:\.(\d+))?-(pro|flash(?!-lite))(?:-|$)/i.exec(model) ?? []
  if (/gemini-flash-latest$/i.test(model)) return true
  if (kind === undefined) return false
  return kind === 'pro' || Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 7)
}

/** Of every Gemini model. The developers' API refuses penalties for those of 2.5, Vertex AI does not. */
export const geminiSupport =
  (isVertex: boolean): SdkAdapter['supported'] =>
  (model, reasons) => ({
    ...commonSupport,
    temperature: clamp(0, 2),
    topK: keep,
    seed: integerWithin(-(2 ** 31), 2 ** 31 - 1),
    penalty: !isVertex && /gemini-2\.5/i.test(model) ? leaveOut : clamp(-2, 2),
    effort: nearestEffort(effortsOf(model, reasons)),
    stops: atMost(5),
    imageTypes: ['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif', 'image/gif'],
    imageUrl: namesImageType,
    toolNames: { pattern: /^[a-zA-Z_][\w.:-]*$/, foreign: /[^\w.:-]/g, maxLength: 64 },
  })

const sdk: SdkAdapter = {
  supported: geminiSupport(false),
  headers: [],
  dryRunAnswer: {},
  ...callsOf(async (model, { baseUrl, fetch }) => {
    const { createGoogle } = await import('@ai-sdk/google')
    return createGoogle({ apiKey: unusedKey, baseURL: baseUrl, fetch })(model)
  }),
}

/**
 * The Gemini API. Chats are translated into its own `generateContent`, which can do more than its imitation of OpenAI's
 * API (`top_k`, PDFs, Anthropic's clients) and reports more; embeddings go to that imitation as they are.
 */
export const google: UpstreamType = {
  dialect: 'google',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  native: ['/v1/embeddings'],
  nativePath: (base, endpoint) => `${basePath(base)}/openai${withoutVersion(endpoint)}`,
  listing: base => `${basePath(base)}/models?pageSize=1`,
  catalogue: onePage(base => `${basePath(base)}/models?pageSize=1000`),
  translated: ['/v1/chat/completions', '/v1/messages', '/v1/responses'],
  translatedTo: null,
  sdk,
  keyHeaders: (apiKey, how): Record<string, string> =>
    how === 'native' ? { authorization: `Bearer ${apiKey}` } : { 'x-goog-api-key': apiKey },
}
