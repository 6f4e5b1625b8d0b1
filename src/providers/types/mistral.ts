import type { JsonObject } from '../../json/json-object.ts'
import { openaiListing, openaiPath } from '../base-path.ts'
import { onePage } from '../catalogue.ts'
import { type Effort, nearestEffort } from '../formats/effort.ts'
import { clamp, integerWithin, leaveOut } from '../formats/field-rules.ts'
import { commonSupport } from '../formats/supported.ts'
import type { IdRule } from '../formats/tool-call-ids.ts'
import { callsOf, type SdkAdapter, unusedKey } from '../sdk-adapter.ts'
import type { UpstreamType } from '../upstream-type.ts'

/** Mistral takes ids of exactly nine letters and digits. */
export const nineLetters: IdRule = { pattern: /^[a-zA-Z0-9]{9}$/, prefix: '', digestLength: 9 }

/** The SDK's list of what each model takes: https://docs.mistral.ai/studio/conversations/reasoning */
const effortsOf = (model: string, reasons: boolean | undefined): readonly Effort[] => {
  if (reasons === false) return []
  if (/^(?:codestral|ministral|mistral-code|voxtral)-|^mistral-large-(?:latest|2512)$/.test(model)) return []
  if (/^zai-glm-(?:5(?:-3.*)?|latest)$/.test(model)) return ['low', 'high', 'max']
  return /^mistral-large-4(?:-0)?$/.test(model) ? ['low', 'medium', 'high'] : ['none', 'high']
}

const samplesGreedily = ({ temperature }: JsonObject): boolean => temperature === 0

const supported: SdkAdapter['supported'] = (model, reasons) => ({
  ...commonSupport,
  temperature: clamp(0, 1.5),
  // "top_p must be 1 when using greedy sampling"
  topP: (value, body) => (samplesGreedily(body) && value !== 1 ? leaveOut(value, body) : null),
  seed: integerWithin(0, Number.MAX_SAFE_INTEGER),
  penalty: clamp(-2, 2),
  effort: nearestEffort(effortsOf(model, reasons)),
  oneToolOnly: true,
  toolCallIds: nineLetters,
  settings: ({ oneToolOnly, strictSchema, effort }) => ({
    reasoning: effort,
    providerOptions: {
      mistral: { ...(oneToolOnly ? { parallelToolCalls: false } : {}), strictJsonSchema: strictSchema },
    },
  }),
})

const sdk: SdkAdapter = {
  supported: supported,
  headers: [],
  dryRunAnswer: {
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: '' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
  },
  ...callsOf(async (model, { baseUrl, fetch }) => {
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
  catalogue: onePage(openaiListing),
  translated: ['/v1/chat/completions', '/v1/messages', '/v1/responses'],
  translatedTo: null,
  sdk,
  keyHeaders: apiKey => ({ authorization: `Bearer ${apiKey}` }),
}
