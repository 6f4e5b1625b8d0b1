import type { ProviderConfig } from '../../config/schema.ts'
import { basePath, withoutVersion } from '../base-path.ts'
import { commonReach, wordId } from '../edges/reach.ts'
import { lowerCaseNames } from '../header-names.ts'
import type { UpstreamType } from '../upstream-type.ts'
import { generateWith, unusedKey, type Way } from '../way.ts'

/**
 * The version is pinned: from 2026-10-21 on Anthropic rejects `temperature`, `top_p` and `top_k`, which older models
 * take and clients send.
 */
const version = '2023-06-01'

/** What every Claude model allows. */
const maxOutputTokens = 4096

/** `betas`: those that the config asks for; the SDK adds those that a request needs. */
const claudeWay = (betas: string | undefined): Way => ({
  reach: {
    ...commonReach,
    // One of `temperature` and `top_p`, not both; a `top_p` of 1 says nothing.
    topP: (topP, body) => topP === 1 || body.temperature === undefined || body.temperature === null,
    // White space alone is rejected.
    stops: stops => stops.every(stop => typeof stop === 'string' && stop.trim() !== ''),
    oneToolOnly: true,
    jsonMode: false,
    toolCallId: wordId,
    options: ({ oneToolOnly, userId }) => ({
      anthropic: {
        ...(oneToolOnly ? { disableParallelToolUse: true } : {}),
        ...(userId ? { metadata: { userId } } : {}),
      },
    }),
  },
  headers: ['anthropic-beta'],
  maxOutputTokens,
  generate: generateWith(async (model, { baseUrl, fetch }) => {
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
  listing: base => `${versionedPath(base)}/models?limit=1`,
  translated: ['/v1/chat/completions'],
  translatedTo: '/v1/messages',
  way: claudeWay(lowerCaseNames(config.headers)['anthropic-beta']),
  keyHeaders: apiKey => ({ 'x-api-key': apiKey }),
  headers: { 'anthropic-version': version },
})
