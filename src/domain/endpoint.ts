/** The wire formats a job's body may be in; the response comes back in the same one. */
export const endpoints = [
  '/v1/chat/completions',
  '/v1/messages',
  '/v1/embeddings',
  '/v1/responses',
  '/v1/completions',
] as const

export type Endpoint = (typeof endpoints)[number]

/** The two formats that clients speak. */
export type Dialect = 'openai' | 'anthropic'

/** Whose error bodies and rate-limit headers an upstream speaks. */
export type UpstreamDialect = Dialect | 'google' | 'bedrock' | 'cohere' | 'mistral'

export const isEndpoint = (value: string): value is Endpoint =>
  (endpoints as readonly string[]).includes(value)

/** The error shape clients of this endpoint expect. */
export const dialectOf = (endpoint: Endpoint): Dialect =>
  endpoint === '/v1/messages' ? 'anthropic' : 'openai'
