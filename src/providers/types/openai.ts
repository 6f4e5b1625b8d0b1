import { openaiListing, openaiPath } from '../base-path.ts'
import { atMost, commonReach } from '../edges/reach.ts'
import type { UpstreamType } from '../upstream-type.ts'
import { generateWith, unusedKey, type Way } from '../way.ts'

/** OpenAI's chat completions, as all that copy them take them. */
export const openaiWay: Way = {
  reach: {
    ...commonReach,
    stops: atMost(4),
    oneToolOnly: true,
    options: ({ oneToolOnly }) => ({ openai: oneToolOnly ? { parallelToolCalls: false } : {} }),
  },
  headers: [],
  generate: generateWith(async (model, { baseUrl, fetch }) => {
    const { createOpenAI } = await import('@ai-sdk/openai')
    return createOpenAI({ apiKey: unusedKey, baseURL: baseUrl, fetch }).chat(model)
  }),
}

export const openaiCompatible: UpstreamType = {
  dialect: 'openai',
  baseUrl: null,
  native: ['/v1/chat/completions', '/v1/embeddings', '/v1/completions'],
  nativePath: openaiPath,
  listing: openaiListing,
  translated: ['/v1/messages'],
  translatedTo: '/v1/chat/completions',
  way: openaiWay,
  keyHeaders: apiKey => ({ authorization: `Bearer ${apiKey}` }),
}

export const openai: UpstreamType = {
  ...openaiCompatible,
  baseUrl: 'https://api.openai.com/v1',
  native: ['/v1/chat/completions', '/v1/embeddings', '/v1/responses', '/v1/completions'],
  lengthLimit: 'max_completion_tokens',
}
