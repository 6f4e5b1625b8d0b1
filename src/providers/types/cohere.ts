import type { LanguageModelV4Prompt } from '@ai-sdk/provider'
import { basePath } from '../base-path.ts'
import { atMost, commonReach, within } from '../edges/reach.ts'
import type { UpstreamType } from '../upstream-type.ts'
import { unusedKey, type Way, withoutMaxEffort } from '../way.ts'

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

const way: Way = {
  reach: {
    ...commonReach,
    topK: true,
    seed: true,
    // Beyond these, Cohere answers 400; 1 is what many clients send for "all", but Cohere's own default is 0.75.
    topP: within(0.01, 0.99),
    penalty: within(0, 1),
    stops: atMost(5),
    strictTools: false,
    pdf: false,
  },
  headers: [],
  bareAnswer: {
    message: { role: 'assistant', content: [] },
    finish_reason: 'COMPLETE',
    usage: { tokens: { input_tokens: 0, output_tokens: 0 } },
  },
  generate: async (model, { baseUrl, fetch }, options) => {
    const { createCohere } = await import('@ai-sdk/cohere')
    const send: typeof fetch = (url, init) =>
      fetch(url, { ...init, body: withToolPlans(String(init?.body), options.prompt) })
    return await createCohere({ apiKey: unusedKey, baseURL: baseUrl, fetch: send })(model).doGenerate(
      withoutMaxEffort(options),
    )
  },
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
  translated: ['/v1/chat/completions', '/v1/messages'],
  translatedTo: null,
  way,
  keyHeaders: apiKey => ({ authorization: `Bearer ${apiKey}` }),
}
