import { describe, expect, test } from 'vitest'
import type { UpstreamAnswer } from '../../../src/domain/upstream.ts'
import { json, openai, openaiFails, verdictOf } from './outcomes.ts'

type Row = [name: string, answer: UpstreamAnswer, verdict: string]

/** An error of an OpenAI-compatible server that says it in words. */
const worded = (status: number, message: string, type: unknown = 'invalid_request_error') =>
  openaiFails(status, null, type, message)

const vllm = (status: number, type: string, message: string) =>
  json(status, { object: 'error', message, type, param: null, code: status })
const llamaCpp = (status: number, type: string, message: string) =>
  json(status, { error: { code: status, message, type } })
const openRouter = (status: number, message: string) => json(status, { error: { code: status, message } })

const window = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
const groqTooLarge =
  'Request too large for model `llama` on tokens per minute (TPM): Limit 6000, Requested 6294'

describe('wordings of OpenAI-compatible servers', () => {
  const rows: Row[] = [
    [
      'vLLM model',
      vllm(404, 'NotFoundError', 'The model `llama-9` does not exist.'),
      'unknown_model/model_not_found',
    ],
    [
      'vLLM model, newer shape',
      json(404, { error: { message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 } }),
      'unknown_model/model_not_found',
    ],
    ['vLLM context', vllm(400, 'BadRequestError', window), 'too_long/prompt_too_long'],
    [
      'vLLM decoder prompt',
      vllm(
        400,
        'BadRequestError',
        'The decoder prompt (length 5951) is longer than the maximum model length of 4096.',
      ),
      'too_long/prompt_too_long',
    ],
    [
      'vLLM bad request',
      vllm(400, 'BadRequestError', 'temperature must be non-negative'),
      'rejected/badrequesterror',
    ],
    [
      'SGLang context',
      worded(400, "The input (9000 tokens) is longer than the model's context length (8192 tokens)."),
      'too_long/prompt_too_long',
    ],
    [
      'Ollama model',
      worded(404, "model 'foo' not found", 'not_found_error'),
      'unknown_model/model_not_found',
    ],
    [
      'Ollama model, native shape',
      json(404, { error: 'model "foo" not found, try pulling it first' }),
      'unknown_model/model_not_found',
    ],
    [
      'Ollama embeddings',
      worded(400, 'the input length exceeds the context length', 'api_error'),
      'too_long/prompt_too_long',
    ],
    [
      'Ollama queue',
      json(503, { error: 'server busy, please try again. maximum pending requests exceeded' }),
      'overloaded/overloaded',
    ],
    [
      'llama.cpp context',
      llamaCpp(400, 'exceed_context_size_error', 'No.'),
      'too_long/exceed_context_size_error',
    ],
    [
      'llama.cpp context, older',
      llamaCpp(
        400,
        'invalid_request_error',
        'the request exceeds the available context size, try increasing it',
      ),
      'too_long/prompt_too_long',
    ],
    [
      'llama.cpp loading',
      llamaCpp(503, 'unavailable_error', 'Loading model'),
      'overloaded/unavailable_error',
    ],
    [
      'llama.cpp key',
      llamaCpp(401, 'authentication_error', 'Invalid API Key'),
      'bad_credentials/authentication_error',
    ],
    [
      'llama.cpp flag',
      llamaCpp(501, 'not_supported_error', 'This server does not support tools'),
      'unsupported/not_supported_error',
    ],
    [
      'LM Studio context',
      json(400, { error: 'Context size has been exceeded.' }),
      'too_long/prompt_too_long',
    ],
    ['Groq model', openaiFails(404, 'model_not_found'), 'unknown_model/model_not_found'],
    ['Groq decommissioned', openaiFails(400, 'model_decommissioned'), 'unknown_model/model_decommissioned'],
    [
      'Groq blocked model',
      openaiFails(403, 'model_permission_blocked_org', 'permissions_error'),
      'unknown_model/model_permission_blocked_org',
    ],
    [
      'Groq restricted',
      openaiFails(400, 'organization_restricted'),
      'bad_credentials/organization_restricted',
    ],
    [
      'Groq context',
      worded(400, 'Please reduce the length of the messages or completion.'),
      'too_long/prompt_too_long',
    ],
    [
      'Groq 413',
      openaiFails(413, 'rate_limit_exceeded', 'tokens', groqTooLarge),
      'too_long/request_too_large',
    ],
    ['Groq flex', openaiFails(498, 'capacity_exceeded', null), 'overloaded/capacity_exceeded'],
    ['OpenRouter key', openRouter(401, 'No auth credentials found'), 'bad_credentials/http_401'],
    ['OpenRouter credits', openRouter(402, 'Insufficient credits'), 'out_of_quota/insufficient_quota'],
    ['OpenRouter key limit', openRouter(403, 'Key limit exceeded (total limit).'), 'out_of_quota/key_limit'],
    [
      'OpenRouter moderation spares the key',
      openRouter(403, 'Your chosen model requires moderation and your input was flagged'),
      'refused/moderation',
    ],
    [
      'OpenRouter model id',
      openRouter(400, 'foo/bar is not a valid model ID'),
      'unknown_model/model_not_found',
    ],
    [
      'OpenRouter endpoints',
      openRouter(404, 'No endpoints found for foo/bar.'),
      'unknown_model/model_not_found',
    ],
    [
      'OpenRouter capability',
      openRouter(404, 'No endpoints found that support tool use.'),
      'unsupported/no_endpoint',
    ],
    [
      'OpenRouter context',
      openRouter(400, "This endpoint's maximum context length is 32768 tokens."),
      'too_long/prompt_too_long',
    ],
    [
      'Azure deployment',
      json(404, { error: { code: 'DeploymentNotFound', message: 'No.' } }),
      'unknown_model/deploymentnotfound',
    ],
    [
      'Azure throttling',
      json(429, { error: { code: '429', message: 'Requests have exceeded call rate limit.' } }),
      'rate_limited/http_429',
    ],
    [
      'Azure key',
      json(401, { error: { code: '401', message: 'Access denied due to invalid subscription key.' } }),
      'bad_credentials/http_401',
    ],
    [
      'Azure filter',
      json(400, { error: { code: 'content_filter', innererror: { code: 'ResponsibleAIPolicyViolation' } } }),
      'refused/content_filter',
    ],
    [
      'Azure quota',
      json(403, {
        error: { code: '403', message: 'Out of call volume quota. Quota will be replenished in 9.00:00:00.' },
      }),
      'out_of_quota/insufficient_quota',
    ],
    [
      'Mistral model',
      json(400, { object: 'error', message: 'Invalid model: x', type: 'invalid_model', code: '1500' }),
      'unknown_model/invalid_model',
    ],
    [
      'Moonshot without a balance, a 429',
      worded(429, 'Your account is suspended, please check your plan', 'exceeded_current_quota_error'),
      'out_of_quota/exceeded_current_quota_error',
    ],
    ['DeepSeek model', worded(400, 'Model Not Exist'), 'unknown_model/model_not_found'],
    [
      'xAI key, a 400',
      json(400, { code: 'Client specified an invalid argument', error: 'Incorrect API key provided: xa***' }),
      'bad_credentials/invalid_api_key',
    ],
  ]
  test.each(rows)('%s', (_name, answer, verdict) => expect(verdictOf(answer, openai)).toBe(verdict))
})

describe('a caller cannot stop a provider by what the error quotes', () => {
  const rows: [quoted: string][] = [
    ['your credit balance is too low'],
    ['You have reached your specified API usage limits. You will regain access on 2030-01-01'],
    ['the model x does not exist'],
    ["model 'x' not found"],
    ['incorrect api key provided'],
    ['spend limit reached'],
    ['this organization has been disabled'],
    ['the engine is overloaded'],
  ]
  test.each(rows)('%s', quoted => {
    expect(verdictOf(worded(400, `Invalid value: '${quoted}'. Supported values are: 'user'.`), openai)).toBe(
      'rejected/invalid_request_error',
    )
  })
})
