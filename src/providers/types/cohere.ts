import type { LanguageModelV4Prompt } from '@ai-sdk/provider'
import { basePath } from '../base-path.ts'
import { onePage } from '../catalogue.ts'
import { type Effort, efforts, nearestEffort } from '../formats/effort.ts'
import { clamp, integerWithin } from '../formats/field-rules.ts'
import { atMost, commonSupport } from '../formats/supported.ts'
import { fittedCalls, type SdkAdapter, unusedKey, withoutMaxEffort } from '../sdk-adapter.ts'
import type { UpstreamType } from '../upstream-type.ts'

interface ChatMessage {
  readonly role: string
  readonly tool_calls?: readonly unknown[]
}

/**
 * The body with what an assistant said beside its tool calls put back as the `tool_plan`, Cohere's place for it: the
 * SDK (4.0.52) leaves such a text out.
 */
const withToolPlans = (text: string, prompt: LanguageModelV4Prompt): string => {
  const body = JSON.parse(text) as { messages: ChatMessage[] }
  const plans = prompt
    .filter(turn => turn.role === 'assistant')
    .map(({ content }) => content.flatMap(part => (part.type === 'text' ? [part.text] : [])).join(''))
  const messages = body.messages.map(message => {
    const plan = message.role === 'assistant' ? plans.shift() : ''
    return plan && message.tool_calls ? { ...message, tool_plan: plan } : message
  })
  return JSON.stringify({ ...body, messages })
}

/** Only the models made for it think. */
const thinkers: readonly Effort[] = efforts.filter(effort => effort !== 'max')

const supported: SdkAdapter['supported'] = (model, reasons) => ({
  ...commonSupport,
  // Beyond these, Cohere answers 400; a `top_p` of 1 is what many clients send for "all", but Cohere's own default is 0.75.
  temperature: clamp(0, 1),
  topP: clamp(0.01, 0.99),
  topK: clamp(0, 500),
  penalty: clamp(0, 1),
  seed: integerWithin(0, Number.MAX_SAFE_INTEGER),
  effort: nearestEffort((reasons ?? model.includes('reasoning')) ? thinkers : []),
  stops: atMost(5),
  strictTools: false,
  pdf: false,
  toolNames: { pattern: /^[a-zA-Z_]\w*$/, foreign: /\W/g, maxLength: 64 },
})

const sdk: SdkAdapter = {
  supported: supported,
  headers: [],
  dryRunAnswer: {
    message: { role: 'assistant', content: [] },
    finish_reason: 'COMPLETE',
    usage: { tokens: { input_tokens: 0, output_tokens: 0 } },
  },
  ...fittedCalls(async (model, { baseUrl, fetch }, { prompt }) => {
    const { createCohere } = await import('@ai-sdk/cohere')
    const send: typeof fetch = (url, init) =>
      fetch(url, { ...init, body: withToolPlans(String(init?.body), prompt) })
    return createCohere({ apiKey: unusedKey, baseURL: baseUrl, fetch: send })(model)
  }, withoutMaxEffort),
}

/** Cohere's `/v2/chat`, which has more than its imitation of OpenAI's API: `top_k`, sources, reasoning. */
export const cohere: UpstreamType = {
  dialect: 'cohere',
  baseUrl: 'https://api.cohere.com/v2',
  native: [],
  nativePath: () => {
    throw new Error('no endpoint is native to Cohere')
  },
  // Only the first version of the API has it.
  listing: base => `${basePath(base).replace(/\/v2$/, '')}/v1/models?page_size=1`,
  catalogue: onePage(base => `${basePath(base).replace(/\/v2$/, '')}/v1/models?page_size=1000`),
  translated: ['/v1/chat/completions', '/v1/messages', '/v1/responses'],
  translatedTo: null,
  sdk,
  keyHeaders: apiKey => ({ authorization: `Bearer ${apiKey}` }),
}
