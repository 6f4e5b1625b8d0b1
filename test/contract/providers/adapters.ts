import type { Endpoint } from '../../../src/domain/endpoint.ts'

export interface Adapter {
  readonly name: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly base: string
  /** What stands before each endpoint, when that is anything. */
  readonly at?: string
  readonly native: readonly [Endpoint, ...Endpoint[]]
  readonly translated: readonly [Endpoint, ...Endpoint[]]
  readonly auth: Readonly<Record<string, string>>
}

/** Every adapter that a body can pass through, with how a client would be given its base and what must be promised of it. */
export const adapters: readonly Adapter[] = [
  {
    name: 'openai',
    settings: { type: 'openai' },
    base: '/v1',
    native: ['/v1/chat/completions', '/v1/embeddings', '/v1/responses', '/v1/completions'],
    translated: ['/v1/messages'],
    auth: { authorization: 'Bearer sk-test' },
  },
  {
    name: 'anthropic',
    settings: { type: 'anthropic' },
    base: '',
    native: ['/v1/messages'],
    translated: ['/v1/chat/completions', '/v1/responses'],
    auth: { 'x-api-key': 'sk-test', 'anthropic-version': '2023-06-01' },
  },
  {
    name: 'openai-compatible',
    settings: { type: 'openai-compatible' },
    base: '/v1',
    native: ['/v1/chat/completions', '/v1/embeddings', '/v1/completions'],
    translated: ['/v1/messages', '/v1/responses'],
    auth: { authorization: 'Bearer sk-test' },
  },
  {
    name: 'azure',
    settings: { type: 'azure', api_key: 'sk-test' },
    base: '',
    at: '/openai',
    native: ['/v1/chat/completions', '/v1/embeddings', '/v1/responses', '/v1/completions'],
    translated: ['/v1/messages'],
    auth: { 'api-key': 'sk-test' },
  },
  {
    name: 'simulated',
    settings: { type: 'simulated' },
    base: '/v1',
    native: ['/v1/chat/completions', '/v1/embeddings', '/v1/responses', '/v1/completions'],
    translated: ['/v1/messages'],
    auth: { authorization: 'Bearer sk-test' },
  },
  {
    name: 'simulated anthropic',
    settings: { type: 'simulated', format: 'anthropic' },
    base: '',
    native: ['/v1/messages'],
    translated: ['/v1/chat/completions', '/v1/responses'],
    auth: { 'x-api-key': 'sk-test', 'anthropic-version': '2023-06-01' },
  },
]
