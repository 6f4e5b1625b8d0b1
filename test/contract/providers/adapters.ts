import type { Endpoint } from '../../../src/domain/endpoint.ts'

/** Every adapter, with how a client would be given its base and what must be promised of it. */
export const adapters = [
  {
    name: 'openai',
    settings: { type: 'openai' },
    base: '/v1',
    native: ['/v1/chat/completions', '/v1/embeddings', '/v1/responses', '/v1/completions'],
    translated: '/v1/messages',
    auth: { authorization: 'Bearer sk-test' },
  },
  {
    name: 'anthropic',
    settings: { type: 'anthropic' },
    base: '',
    native: ['/v1/messages'],
    translated: '/v1/chat/completions',
    auth: { 'x-api-key': 'sk-test', 'anthropic-version': '2023-06-01' },
  },
  {
    name: 'openai-compatible',
    settings: { type: 'openai-compatible' },
    base: '/v1',
    native: ['/v1/chat/completions', '/v1/embeddings', '/v1/completions'],
    translated: '/v1/messages',
    auth: { authorization: 'Bearer sk-test' },
  },
  {
    name: 'simulated',
    settings: { type: 'simulated' },
    base: '/v1',
    native: ['/v1/chat/completions', '/v1/embeddings', '/v1/responses', '/v1/completions'],
    translated: '/v1/messages',
    auth: { authorization: 'Bearer sk-test' },
  },
  {
    name: 'simulated anthropic',
    settings: { type: 'simulated', format: 'anthropic' },
    base: '',
    native: ['/v1/messages'],
    translated: '/v1/chat/completions',
    auth: { 'x-api-key': 'sk-test', 'anthropic-version': '2023-06-01' },
  },
] as const satisfies readonly {
  name: string
  settings: Record<string, unknown>
  base: string
  native: readonly Endpoint[]
  translated: Endpoint
  auth: Record<string, string>
}[]
