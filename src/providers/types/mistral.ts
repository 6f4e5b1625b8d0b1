import { createHash } from 'node:crypto'
import { openaiListing, openaiPath } from '../base-path.ts'
import { anything, commonReach } from '../edges/reach.ts'
import type { UpstreamType } from '../upstream-type.ts'
import { generateWith, unusedKey, type Way } from '../way.ts'

/** Mistral takes ids of exactly nine letters and digits. */
const nineLetters = (id: string): string =>
  /^[a-zA-Z0-9]{9}$/.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 9)

const way: Way = {
  reach: {
    ...commonReach,
    seed: true,
    penalty: anything,
    oneToolOnly: true,
    toolCallId: nineLetters,
    options: ({ oneToolOnly, strictSchema }) => ({
      mistral: { ...(oneToolOnly ? { parallelToolCalls: false } : {}), strictJsonSchema: strictSchema },
    }),
  },
  headers: [],
  bareAnswer: {
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: '' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
  },
  generate: generateWith(async (model, { baseUrl, fetch }) => {
    const { createMistral } = await import('@ai-sdk/mistral')
    return createMistral({ apiKey: unusedKey, baseURL: baseUrl, fetch })(model)
  }),
}

/**
 * Mistral's chat is OpenAI's but for names (`random_seed`, no `max_completion_tokens`), ids of tool calls, and a 422 for
 * whatever it does not know: a job that comes from OpenAI would fail there untranslated. Embeddings are the same.
 */
export const mistral: UpstreamType = {
  dialect: 'mistral',
  baseUrl: 'https://api.mistral.ai/v1',
  native: ['/v1/embeddings'],
  nativePath: openaiPath,
  listing: openaiListing,
  translated: ['/v1/chat/completions', '/v1/messages'],
  translatedTo: null,
  way,
  keyHeaders: apiKey => ({ authorization: `Bearer ${apiKey}` }),
}
