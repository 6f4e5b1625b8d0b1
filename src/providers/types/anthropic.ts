import type { ProviderConfig } from '../../config/schema.ts'
import { basePath, withoutVersion } from '../base-path.ts'
import { onePage } from '../catalogue.ts'
import { keep } from '../formats/field-rules.ts'
import {
  commonSupport,
  type ProviderHints,
  type Supported,
  wordIds,
  wordNames,
} from '../formats/supported.ts'
import { lowerCaseNames } from '../header-names.ts'
import { messagesEdits } from '../native-messages.ts'
import { callsOf, type SdkAdapter, unusedKey } from '../sdk-adapter.ts'
import type { UpstreamType } from '../upstream-type.ts'
import { type ClaudeModel, claudeModel, claudeSteering, thinkingBudget } from './claude-models.ts'

/**
 * The version is pinned: from 2026-10-21 on Anthropic rejects `temperature`, `top_p` and `top_k`, which older
 * models take and clients send.
 */
const version = '2023-06-01'

/** What every Claude model allows. */
const safeLimit = 4096

/** The SDK's setting for thinking: it would add the budget to the answer's limit, which covers both. */
const thoughtOf = (model: ClaudeModel, { effort, maxOutputTokens }: ProviderHints) => {
  if (effort === undefined || model.thinks === 'never') return { maxOutputTokens, options: {} }
  if (effort === 'none') return { maxOutputTokens, options: { thinking: { type: 'disabled' as const } } }
  if (model.thinks === 'adaptive') {
    const thinking = { type: 'adaptive' as const, display: 'summarized' as const }
    return { maxOutputTokens, options: { thinking, effort } }
  }
  const limit = maxOutputTokens ?? model.maxTokens ?? safeLimit
  const budgetTokens = thinkingBudget(effort, limit, model)
  const thinking = { type: 'enabled' as const, budgetTokens }
  return { maxOutputTokens: limit - budgetTokens, options: { thinking } }
}

const claudeSupport = (model: ClaudeModel): Supported => ({
  ...commonSupport,
  ...claudeSteering(model),
  defaultLimit: model.maxTokens ?? safeLimit,
  user: keep,
  // White space alone is rejected.
  stops: stops => stops.every(stop => typeof stop === 'string' && stop.trim() !== ''),
  oneToolOnly: true,
  strictTools: model.hasSchemas,
  jsonMode: false,
  refusesBlanks: true,
  earlierReasoning: 'signed',
  toolCallIds: wordIds,
  toolNames: wordNames(128),
  settings: hints => {
    const { oneToolOnly, userId } = hints
    const { maxOutputTokens, options } = thoughtOf(model, hints)
    return {
      maxOutputTokens,
      providerOptions: {
        anthropic: {
          ...options,
          ...(oneToolOnly ? { disableParallelToolUse: true } : {}),
          ...(userId ? { metadata: { userId } } : {}),
        },
      },
    }
  },
})

/** `betas`: those that the config asks for; the SDK adds those that a request needs. */
const claudeSdk = (betas: string | undefined): SdkAdapter => ({
  supported: (model, reasons) => claudeSupport(claudeModel(model, reasons)),
  headers: ['anthropic-beta'],
  dryRunAnswer: {
    type: 'message',
    role: 'assistant',
    content: [],
    stop_reason: 'end_turn',
    usage: { input_tokens: 0, output_tokens: 0 },
  },
  ...callsOf(async (model, { baseUrl, fetch }) => {
    const { createAnthropic } = await import('@ai-sdk/anthropic')
    const headers: Record<string, string> = betas ? { 'anthropic-beta': betas } : {}
    return createAnthropic({ apiKey: unusedKey, baseURL: baseUrl, fetch, headers })(model)
  }),
})

/** Anthropic's clients are given a base without `/v1`; both spellings are taken. */
const versionedPath = (base: URL): string => {
  const path = basePath(base)
  return path.endsWith('/v1') ? path : `${path}/v1`
}

export const anthropic = (config: ProviderConfig): UpstreamType => ({
  dialect: 'anthropic',
  baseUrl: 'https://api.anthropic.com',
  native: ['/v1/messages'],
  nativePath: (base, endpoint) => versionedPath(base) + withoutVersion(endpoint),
  countPath: base => `${versionedPath(base)}/messages/count_tokens`,
  listing: base => `${versionedPath(base)}/models?limit=1`,
  catalogue: onePage(base => `${versionedPath(base)}/models?limit=1000`),
  nativeEdits: (endpoint, text, { model, maxOutputTokens }) =>
    endpoint === '/v1/messages'
      ? messagesEdits(text, maxOutputTokens ?? claudeModel(model, undefined).maxTokens ?? safeLimit)
      : [],
  translated: ['/v1/chat/completions', '/v1/responses'],
  translatedTo: '/v1/messages',
  sdk: claudeSdk(lowerCaseNames(config.headers)['anthropic-beta']),
  keyHeaders: apiKey => ({ 'x-api-key': apiKey }),
  headers: { 'anthropic-version': version },
})
