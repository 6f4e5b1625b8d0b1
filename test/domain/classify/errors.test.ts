import { describe, expect, test } from 'vitest'
import { type ClassifyContext, classify } from '../../../src/domain/classify/classify.ts'
import type { BreakReason, UpstreamAnswer } from '../../../src/domain/upstream.ts'
import {
  anthropic,
  anthropicError,
  anthropicFails,
  html,
  json,
  openai,
  openaiFails,
  raw,
  verdictOf,
} from './outcomes.ts'

type Row = [name: string, answer: UpstreamAnswer, verdict: string]

/** Every row also holds that an error status is not billed. */
const table = (title: string, context: ClassifyContext, rows: readonly Row[]) =>
  describe(title, () => {
    test.each(rows)('%s', (_name, answer, verdict) => {
      expect(verdictOf(answer, context)).toBe(verdict)
      expect(classify(answer, context).possiblyBilled).toBe(false)
    })
  })

describe('classify with errors of calls', () => {
  describe('a call without a whole answer is transient, and billed only if it was sent', () => {
    const rows: [BreakReason, boolean][] = [
      ['dns', false],
      ['connect', false],
      ['tls', false],
      ['reset', false],
      ['reset', true],
      ['timeout', true],
      ['aborted', true],
      ['protocol', true],
    ]
    test.each(rows)('%s, sent: %s', (reason, sent) => {
      const verdict = classify({ kind: 'break', reason, sent, cause: new Error('x') }, openai)
      expect(verdict).toEqual({ kind: 'transient', reason, retryAfterMs: null, possiblyBilled: sent })
    })
  })

  table('any provider', openai, [
    ['402', json(402, {}), 'out_of_quota/http_402'],
    ['403', json(403, {}), 'bad_credentials/http_403'],
    ['407', json(407, {}), 'transient/http_407'],
    ['408', json(408, {}), 'transient/http_408'],
    ['425', json(425, {}), 'transient/http_425'],
    ['403 html of a firewall', html(403), 'unsupported/http_403'],
    ['403 of Cloudflare, in text', raw(403, 'error code: 1020'), 'unsupported/http_403'],
    [
      '403 of Akamai, in text',
      raw(403, 'Access Denied. Reference #18.2d351ab8.1557333295.a4e16ab'),
      'unsupported/http_403',
    ],
    ['403 of AWS WAF, in text', raw(403, 'Request blocked.'), 'unsupported/http_403'],
    ['403 of a server without JSON', raw(403, 'Forbidden'), 'bad_credentials/http_403'],
    ['503 of a CDN', html(503, { server: 'cloudflare' }), 'transient/http_503'],
    ['424', json(424, { error: { message: 'No.' } }), 'transient/http_424'],
    ['499', json(499, { error: { message: 'No.' } }), 'transient/http_499'],
    ['499 without a body', raw(499, ''), 'transient/http_499'],
    ['446 of Portkey', json(446, { error: { message: 'No.' } }), 'refused/http_446'],
    ['451 of StepFun', json(451, { error: { message: 'No.' } }), 'refused/http_451'],
    ['413 of a proxy, in text', raw(413, 'Request Entity Too Large'), 'unsupported/http_413'],
    [
      '413 of a proxy, in its own JSON',
      json(413, { message: 'Request size limit exceeded' }),
      'unsupported/http_413',
    ],
    [
      '429 whose code says something else',
      openaiFails(429, 'server_error', 'server_error'),
      'rate_limited/server_error',
    ],
    [
      '429 of Anthropic’s shape with another type',
      anthropicFails(429, 'api_error'),
      'rate_limited/api_error',
    ],
    ['413 html', html(413), 'unsupported/http_413'],
    ['400 html', html(400), 'transient/http_400'],
    ['404 html', html(404), 'transient/http_404'],
    ['401 html is still a key', html(401), 'bad_credentials/http_401'],
    ['429 html is still a limit', html(429), 'rate_limited/http_429'],
    ['404 of a router, in JSON', json(404, { detail: 'Not Found' }), 'transient/http_404'],
    ['404 of a router, in text', raw(404, '404 page not found'), 'transient/http_404'],
    ['405', raw(405, ''), 'transient/http_405'],
    ['400 without a body', raw(400, ''), 'unsupported/http_400'],
    ['422 in plain text', raw(422, 'Failed to deserialize the JSON body'), 'rejected/http_422'],
    ...[502, 503, 504, 520, 521, 522, 523, 524].map(
      (status): Row => [`${status} html`, html(status), `transient/http_${status}`],
    ),
    ['502 in JSON', openaiFails(502, null, null), 'transient/http_502'],
    ['498', json(498, {}), 'overloaded/http_498'],
    ['529', json(529, {}), 'overloaded/http_529'],
    ['a redirect', html(308, { location: 'https://elsewhere.example/' }), 'transient/http_308'],
    ['an unknown 4xx', openaiFails(418, 'teapot'), 'rejected/teapot'],
    ['an unknown 5xx', openaiFails(599, 'odd', 'odd'), 'transient/odd'],
  ])

  const tooLarge =
    'Request too large for gpt-4 in organization org-x on tokens per min (TPM): Limit 10000, Requested 12000.'
  const tooMany =
    'Rate limit reached for gpt-4 in organization org-x on requests per min (RPM): Limit 3, Used 3.'
  const badUrl = 'Invalid URL (POST /v1/v1/chat/completions)'

  table('OpenAI', openai, [
    ['400', openaiFails(400, null), 'rejected/invalid_request_error'],
    ['400 context', openaiFails(400, 'context_length_exceeded'), 'too_long/context_length_exceeded'],
    ['400 policy', openaiFails(400, 'content_policy_violation'), 'refused/content_policy_violation'],
    ['400 invalid prompt', openaiFails(400, 'invalid_prompt'), 'refused/invalid_prompt'],
    ['400 model', openaiFails(400, 'model_not_found'), 'unknown_model/model_not_found'],
    ['404 model', openaiFails(404, 'model_not_found'), 'unknown_model/model_not_found'],
    ['403 model of a project', openaiFails(403, 'model_not_found'), 'unknown_model/model_not_found'],
    ['400 unsupported value', openaiFails(400, 'unsupported_value'), 'unsupported/unsupported_value'],
    [
      '400 unsupported parameter',
      openaiFails(400, 'unsupported_parameter'),
      'unsupported/unsupported_parameter',
    ],
    ['401 key', openaiFails(401, 'invalid_api_key'), 'bad_credentials/invalid_api_key'],
    ['401 IP or organisation', openaiFails(401, null), 'bad_credentials/invalid_request_error'],
    [
      '403 region',
      openaiFails(403, 'unsupported_country_region_territory', 'request_forbidden'),
      'bad_credentials/unsupported_country_region_territory',
    ],
    ['403 permission', openaiFails(403, null), 'bad_credentials/invalid_request_error'],
    ['404 resource', openaiFails(404, null), 'unsupported/invalid_request_error'],
    [
      '404 wrong base_url',
      openaiFails(404, null, 'invalid_request_error', badUrl),
      'unknown_model/invalid_url',
    ],
    ['409', openaiFails(409, 'conflict'), 'transient/conflict'],
    ['413', openaiFails(413, null), 'rejected/invalid_request_error'],
    ['422', openaiFails(422, null), 'rejected/invalid_request_error'],
    [
      '429 requests',
      openaiFails(429, 'rate_limit_exceeded', 'requests', tooMany),
      'rate_limited/rate_limit_exceeded',
    ],
    ['429 tokens', openaiFails(429, 'rate_limit_exceeded', 'tokens'), 'rate_limited/rate_limit_exceeded'],
    ['429 type only', openaiFails(429, null, 'rate_limit_error'), 'rate_limited/rate_limit_error'],
    [
      '429 that can never fit',
      openaiFails(429, 'rate_limit_exceeded', 'tokens', tooLarge),
      'too_long/request_too_large',
    ],
    ['429 slow_down', openaiFails(429, 'slow_down', 'rate_limit_error'), 'overloaded/slow_down'],
    ...[
      'insufficient_quota',
      'credit_balance_exhausted',
      'organization_spend_limit_exceeded',
      'project_spend_limit_exceeded',
      'organization_usage_limit_exceeded',
      'billing_hard_limit_reached',
    ].map(
      (code): Row => [`429 ${code}`, openaiFails(429, code, 'insufficient_quota'), `out_of_quota/${code}`],
    ),
    [
      '429 quota by type alone',
      openaiFails(429, null, 'insufficient_quota'),
      'out_of_quota/insufficient_quota',
    ],
    ['500', openaiFails(500, null, 'server_error'), 'transient/server_error'],
    ['500 internal', openaiFails(500, 'internal_error', null), 'transient/internal_error'],
    ['503', openaiFails(503, null, 'service_unavailable_error'), 'overloaded/service_unavailable_error'],
    ['503 code', openaiFails(503, 'server_is_overloaded', 'server_error'), 'overloaded/server_is_overloaded'],
    [
      '503 in words',
      openaiFails(503, null, 'server_error', 'The engine is currently overloaded'),
      'overloaded/overloaded',
    ],
  ])

  const regain =
    'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.'
  const workspace =
    'You have reached your specified workspace API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.'
  const noCredit = 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.'
  const overlong = 'prompt is too long: 210000 tokens > 200000 maximum'
  const overCap = 'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000'

  table('Anthropic', anthropic, [
    ['400', anthropicFails(400, 'invalid_request_error'), 'rejected/invalid_request_error'],
    ['400 prompt', anthropicFails(400, 'invalid_request_error', overlong), 'too_long/prompt_too_long'],
    [
      '400 prompt and max_tokens',
      anthropicFails(400, 'invalid_request_error', overCap),
      'too_long/prompt_too_long',
    ],
    ['400 own limit', anthropicFails(400, 'invalid_request_error', regain), 'out_of_quota/usage_limit'],
    [
      '400 own workspace limit',
      anthropicFails(400, 'invalid_request_error', workspace),
      'out_of_quota/usage_limit',
    ],
    [
      '400 no credit',
      anthropicFails(400, 'invalid_request_error', noCredit),
      'out_of_quota/credit_balance_too_low',
    ],
    ...['organization_on_hold', 'claude_code_key_creator_not_member', 'cmek_key_disabled'].map(
      (code): Row => [
        `400 ${code}`,
        anthropicFails(400, 'invalid_request_error', 'No.', code),
        `bad_credentials/${code}`,
      ],
    ),
    [
      '400 disabled',
      anthropicFails(400, 'invalid_request_error', 'This organization has been disabled.'),
      'bad_credentials/organization_disabled',
    ],
    [
      '401',
      anthropicFails(401, 'authentication_error', 'invalid x-api-key'),
      'bad_credentials/authentication_error',
    ],
    ['402', anthropicFails(402, 'billing_error'), 'out_of_quota/billing_error'],
    [
      '402 linked',
      anthropicFails(402, 'billing_error', 'No.', 'linked_organization_unpaid'),
      'out_of_quota/linked_organization_unpaid',
    ],
    ['403', anthropicFails(403, 'permission_error'), 'bad_credentials/permission_error'],
    ['404 model', anthropicFails(404, 'not_found_error', 'model: claude-9'), 'unknown_model/model_not_found'],
    ['404 resource', anthropicFails(404, 'not_found_error', 'Not found'), 'unsupported/not_found_error'],
    ['409', anthropicFails(409, 'conflict_error'), 'transient/conflict_error'],
    ['413', anthropicFails(413, 'request_too_large'), 'rejected/request_too_large'],
    [
      '429',
      json(429, anthropicError('rate_limit_error'), { 'retry-after': '7' }),
      'rate_limited/rate_limit_error',
    ],
    [
      '429 ramp',
      anthropicFails(429, 'rate_limit_error', 'No.', 'ramp_limit_exceeded'),
      'rate_limited/ramp_limit_exceeded',
    ],
    [
      '429 spend cap',
      anthropicFails(429, 'rate_limit_error', 'No.', 'enforced_spend_limit_reached'),
      'out_of_quota/enforced_spend_limit_reached',
    ],
    [
      '429 contract cap',
      anthropicFails(429, 'rate_limit_error', 'No.', 'contract_spend_limit_reached'),
      'out_of_quota/contract_spend_limit_reached',
    ],
    [
      '429 spend cap in words',
      anthropicFails(429, 'rate_limit_error', 'Spend limit reached.'),
      'out_of_quota/spend_limit',
    ],
    ['500', anthropicFails(500, 'api_error'), 'transient/api_error'],
    ['503', anthropicFails(503, 'api_error'), 'transient/api_error'],
    [
      '503 cmek context',
      anthropicFails(503, 'api_error', 'No.', 'cmek_context_unavailable'),
      'overloaded/cmek_context_unavailable',
    ],
    [
      '503 cmek key',
      anthropicFails(503, 'api_error', 'No.', 'cmek_key_unreachable'),
      'overloaded/cmek_key_unreachable',
    ],
    ['504', anthropicFails(504, 'timeout_error'), 'transient/timeout_error'],
    ['529', anthropicFails(529, 'overloaded_error'), 'overloaded/overloaded_error'],
    [
      'a type outweighs an unfit status',
      anthropicFails(400, 'rate_limit_error'),
      'rate_limited/rate_limit_error',
    ],
  ])
})
