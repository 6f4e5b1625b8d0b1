import { createHash } from 'node:crypto'
import type { Preset } from '../../config/presets.ts'
import { basePath, openaiListing, openaiPath } from '../base-path.ts'
import { onePage } from '../catalogue.ts'
import { efforts, nearestEffort } from '../formats/effort.ts'
import { keep } from '../formats/field-rules.ts'
import { atMost, commonSupport, openaiIds, type Supported } from '../formats/supported.ts'
import { chatEdits } from '../native-chat.ts'
import { responsesEdits } from '../native-responses.ts'
import { callsOf, type SdkAdapter, unusedKey } from '../sdk-adapter.ts'
import type { UpstreamType } from '../upstream-type.ts'
import { openaiSteering } from './openai-models.ts'

const identifiers = 64

/** OpenAI takes identifiers of 64 characters; longer ones are as good as their digest. */
const identifierOf = (id: string): string =>
  id.length <= identifiers ? id : createHash('sha256').update(id).digest('hex')

/** What all take that take OpenAI's chat completions. */
const chatSupport: Supported = {
  ...commonSupport,
  user: keep,
  stops: atMost(4),
  oneToolOnly: true,
  toolCallIds: openaiIds,
}

const bareAnswer = {
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: '' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
}

/** OpenAI's own models, which differ in what they take. */
const openaiSdk: SdkAdapter = {
  supported: (model, reasons) => ({
    ...chatSupport,
    ...openaiSteering(model, reasons),
    settings: ({ oneToolOnly, userId, effort }) => ({
      reasoning: effort,
      providerOptions: {
        openai: {
          ...(reasons === undefined ? {} : { forceReasoning: reasons }),
          ...(oneToolOnly ? { parallelToolCalls: false } : {}),
          ...(userId ? { safetyIdentifier: identifierOf(userId) } : {}),
        },
      },
    }),
  }),
  headers: [],
  dryRunAnswer: bareAnswer,
  ...callsOf(async (model, { baseUrl, fetch }) => {
    const { createOpenAI } = await import('@ai-sdk/openai')
    return createOpenAI({ apiKey: unusedKey, baseURL: baseUrl, fetch }).chat(model)
  }),
}

/** The name under which the SDK looks for options of this type; the name of no vendor. */
const compatible = 'compatible'

/**
 * Other models behind OpenAI's format. Their names do not show what they take, so all parameters are sent.
 */
const compatibleSdk: SdkAdapter = {
  supported: (_model, reasons) => ({
    ...chatSupport,
    effort: nearestEffort(reasons === false ? [] : efforts),
    // A model that thinks while it works with tools wants to see what it thought.
    earlierReasoning: reasons === false ? 'none' : 'text',
    settings: ({ oneToolOnly, userId, effort }) => ({
      reasoning: effort,
      providerOptions: {
        [compatible]: {
          ...(oneToolOnly ? { parallel_tool_calls: false } : {}),
          ...(userId ? { user: identifierOf(userId) } : {}),
        },
      },
    }),
  }),
  headers: [],
  dryRunAnswer: bareAnswer,
  ...callsOf(async (model, { baseUrl, fetch }) => {
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
    const settings = {
      name: compatible,
      baseURL: baseUrl,
      fetch,
      supportsStructuredOutputs: true,
      includeUsage: true,
    }
    return createOpenAICompatible(settings).chatModel(model)
  }),
}

export const openaiCompatible: UpstreamType = {
  dialect: 'openai',
  baseUrl: null,
  native: ['/v1/chat/completions', '/v1/embeddings', '/v1/completions'],
  nativePath: openaiPath,
  listing: openaiListing,
  catalogue: onePage(openaiListing),
  translated: ['/v1/messages', '/v1/responses'],
  translatedTo: '/v1/chat/completions',
  sdk: compatibleSdk,
  keyHeaders: apiKey => ({ authorization: `Bearer ${apiKey}` }),
}

/** A vendor of the table of presets. */
export const openaiCopy = ({ baseUrl, lacks = [], keyPath = '/models' }: Preset): UpstreamType => ({
  ...openaiCompatible,
  baseUrl,
  native: openaiCompatible.native.filter(endpoint => !(lacks as readonly string[]).includes(endpoint)),
  listing: keyPath === null ? null : base => basePath(base) + keyPath,
  catalogue: keyPath === null ? null : onePage(openaiListing),
})

export const openai: UpstreamType = {
  ...openaiCompatible,
  baseUrl: 'https://api.openai.com/v1',
  native: ['/v1/chat/completions', '/v1/embeddings', '/v1/responses', '/v1/completions'],
  translated: ['/v1/messages'],
  nativeEdits: (endpoint, text) => {
    if (endpoint === '/v1/responses') return responsesEdits(text)
    return endpoint === '/v1/chat/completions' ? chatEdits(text) : []
  },
  lengthLimit: 'max_completion_tokens',
  sdk: openaiSdk,
}
