import type { ProviderConfig } from '../config/schema.ts'
import type { Dialect, Endpoint } from '../domain/endpoint.ts'

/** What sets one provider type apart from another. */
export interface UpstreamType {
  readonly dialect: Dialect
  /** Null where only the config can know it. */
  readonly baseUrl: string | null
  readonly native: readonly Endpoint[]
  /** The endpoint it serves by translation into its own. */
  readonly translated: Endpoint
}

const openai: UpstreamType = {
  dialect: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  native: ['/v1/chat/completions', '/v1/embeddings', '/v1/responses', '/v1/completions'],
  translated: '/v1/messages',
}

const anthropic: UpstreamType = {
  dialect: 'anthropic',
  baseUrl: 'https://api.anthropic.com',
  native: ['/v1/messages'],
  translated: '/v1/chat/completions',
}

const openaiCompatible: UpstreamType = {
  dialect: 'openai',
  baseUrl: null,
  native: ['/v1/chat/completions', '/v1/embeddings', '/v1/completions'],
  translated: '/v1/messages',
}

export const upstreamTypeOf = ({ type, format }: ProviderConfig): UpstreamType => {
  switch (type) {
    case 'openai':
      return openai
    case 'anthropic':
      return anthropic
    case 'openai-compatible':
      return openaiCompatible
    case 'simulated':
      return { ...(format === 'anthropic' ? anthropic : openai), baseUrl: null }
  }
}

/**
 * The base path that endpoints (`/v1/…`) are appended to. OpenAI clients are given a base that ends in `/v1`,
 * Anthropic clients one that does not; both spellings are taken, with or without a slash at the end. An OpenAI base
 * that ends otherwise (`/openai`, `/api/v3`) stands in the place of `/v1`.
 */
export const pathOf = (dialect: Dialect, base: URL, endpoint: Endpoint): string => {
  const basePath = base.pathname.replace(/\/+$/, '')
  const withVersion = dialect === 'anthropic' && !basePath.endsWith('/v1') ? `${basePath}/v1` : basePath
  return withVersion + endpoint.slice('/v1'.length)
}

/**
 * The version is pinned: from 2026-10-21 on Anthropic rejects `temperature`, `top_p` and `top_k`, which older models
 * take and clients send.
 */
const anthropicVersion = '2023-06-01'

/** Headers of every call of a provider; those of the config, which come last, win. Names are lower-case. */
export const headersOf = (
  dialect: Dialect,
  apiKey: string | null,
  configured: Readonly<Record<string, string>>,
): Record<string, string> => {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'baton',
  }
  if (dialect === 'anthropic') headers['anthropic-version'] = anthropicVersion
  if (apiKey !== null && dialect === 'anthropic') headers['x-api-key'] = apiKey
  if (apiKey !== null && dialect === 'openai') headers.authorization = `Bearer ${apiKey}`
  return Object.assign(headers, configured)
}
