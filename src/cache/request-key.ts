import { createHash } from 'node:crypto'
import type { Endpoint } from '../domain/endpoint.ts'
import { headersKey, type RequestHeaders } from '../domain/request-headers.ts'
import { canonicalJson } from '../json/canonical-json.ts'

/**
 * Another format of the key, or of what is kept under it, gets another number: old entries are then never
 * found.
 */
const version = 1

/** How the answer comes, not what it is: streams are kept as the answers that they add up to. */
const howItComes = ['stream', 'stream_options'] as const

/**
 * Members of a request that never show in an answer: the user, and what the provider stores or bills by.
 * Every other member makes a different request. Responses echo all of these members but `stream`.
 */
const leftOut: Readonly<Record<Endpoint, ReadonlySet<string>>> = {
  '/v1/chat/completions': new Set([
    'user',
    'safety_identifier',
    'prompt_cache_key',
    'prompt_cache_retention',
    'metadata',
    'store',
    ...howItComes,
  ]),
  '/v1/messages': new Set(['metadata', ...howItComes]),
  '/v1/embeddings': new Set(['user']),
  '/v1/completions': new Set(['user', ...howItComes]),
  '/v1/responses': new Set(howItComes),
}

/**
 * Members that tie a request to what a provider remembers or looks up, so that the same request again is
 * another one.
 */
const stateful: ReadonlySet<string> = new Set([
  'conversation',
  'previous_response_id',
  'background',
  'container',
  'web_search_options',
])

export interface KeyedRequest {
  readonly tenant: string
  /** The client's model name. */
  readonly route: string
  /** The same as long as the route leads to the same models. */
  readonly chain: string
  readonly endpoint: Endpoint
  /** The request as JSON text. */
  readonly body: string
  readonly headers: RequestHeaders
}

/**
 * A hash that differs where answers may differ: 43 characters that reveal nothing of the prompt. Null for a
 * request that must not be answered from a cache.
 */
export const requestKey = ({
  tenant,
  route,
  chain,
  endpoint,
  body,
  headers,
}: KeyedRequest): string | null => {
  const canonical = canonicalJson(body, leftOut[endpoint], stateful)
  if (canonical === null) return null
  return createHash('sha256')
    .update(JSON.stringify([version, tenant, route, chain, endpoint]) + headersKey(headers))
    .update('\n')
    .update(canonical)
    .digest('base64url')
}
