import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { answering } from '../contract/providers/recording-upstream.ts'
import { type ApiOptions, type BatonApi, openBaton } from '../support/open-baton.ts'
import { answers, openVendor, type Vendor } from '../support/vendors.ts'
import { type Answer, type Call, call, chat, type Json } from './test-api.ts'

export const key = 'sk-upstream-1234567890abcdef'

/** Baton with two providers of the test's own, one for each format, and three routes to them. */
export interface ReasonsSite extends AsyncDisposable {
  readonly openai: Vendor
  readonly claude: Vendor
  readonly baton: BatonApi
  readonly clients: { readonly openai: OpenAI; readonly anthropic: Anthropic }
  ask(model: string, options?: Call): Promise<Answer>
  get(path: string): Promise<Json>
  /** One more Baton on the same Redis, as after a restart. */
  again(apiKey: string): Promise<BatonApi>
}

export const openReasonsSite = async (
  options: Partial<ApiOptions> = {},
  provider: object = {},
): Promise<ReasonsSite> => {
  const openai = await openVendor(answering(200, answers.chat))
  const claude = await openVendor(answering(200, answers.message))
  const settings = { retries: 0, ...provider }
  const { config, ...more } = options
  const settledWith = (api_key: string): { level: 'api' } & ApiOptions => ({
    level: 'api',
    ...more,
    config: {
      providers: {
        openai: { type: 'openai', base_url: `${openai.url}/v1`, api_key, ...settings },
        claude: { type: 'anthropic', base_url: claude.url, api_key, ...settings },
      },
      models: {
        'gpt-4': { provider: 'openai' },
        opus: { provider: 'claude' },
        both: { provider: 'openai', upstream_model: 'gpt-4', fallback_to: 'opus' },
      },
      ...config,
    },
  })
  const baton = await openBaton(settledWith(key))
  const api = { url: baton.url }
  const common = { apiKey: 'any', maxRetries: 2 }
  return {
    openai,
    claude,
    baton,
    clients: {
      openai: new OpenAI({ ...common, baseURL: `${api.url}/v1` }),
      anthropic: new Anthropic({ ...common, baseURL: api.url }),
    },
    ask: (model, options = {}) =>
      call(api, 'POST', '/v1/chat/completions', { body: chat('hi', { model }), ...options }),
    get: async path => (await call(api, 'GET', path)).json,
    again: apiKey => openBaton({ ...settledWith(apiKey), prefix: baton.prefix }),
    [Symbol.asyncDispose]: async () => {
      await baton.stop()
      await Promise.all([openai.close(), claude.close()])
    },
  }
}

const openaiError = (message: string, type: string, code: string | null) => ({
  error: { message, type, param: null, code },
})

/** What a person must mend, as the vendors word it. */
export const trouble = {
  openai: {
    'a wrong key': answering(
      401,
      openaiError('Incorrect API key.', 'invalid_request_error', 'invalid_api_key'),
    ),
    'a misspelt model': answering(
      404,
      openaiError('The model `gpt-4` does not exist.', 'invalid_request_error', 'model_not_found'),
    ),
    'an empty account': answering(
      429,
      openaiError('You exceeded your current quota.', 'insufficient_quota', 'insufficient_quota'),
    ),
  },
  claude: {
    'a wrong key': answering(401, {
      type: 'error',
      error: { type: 'authentication_error', message: 'invalid x-api-key' },
    }),
    'a misspelt model': answering(404, {
      type: 'error',
      error: { type: 'not_found_error', message: 'model: opus' },
    }),
    'an empty account': answering(400, {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: 'Your credit balance is too low to access the Anthropic API.',
      },
    }),
  },
} as const

export type Trouble = keyof (typeof trouble)['openai']
