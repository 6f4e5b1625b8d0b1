import { basePath, withoutVersion } from '../base-path.ts'
import { anything, atMost, commonReach, namesImageType, type Reach } from '../edges/reach.ts'
import type { UpstreamType } from '../upstream-type.ts'
import { generateWith, unusedKey, type Way } from '../way.ts'

/** Of every Gemini model; which of them have no penalties the SDK knows. */
export const geminiReach: Reach = {
  ...commonReach,
  topK: true,
  seed: true,
  penalty: anything,
  stops: atMost(5),
  imageUrl: namesImageType,
}

const way: Way = {
  reach: geminiReach,
  headers: [],
  bareAnswer: {},
  generate: generateWith(async (model, { baseUrl, fetch }) => {
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
  translated: ['/v1/chat/completions', '/v1/messages'],
  translatedTo: null,
  way,
  keyHeaders: (apiKey, how): Record<string, string> =>
    how === 'native' ? { authorization: `Bearer ${apiKey}` } : { 'x-goog-api-key': apiKey },
}
