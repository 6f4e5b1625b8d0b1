import type { VerdictKind } from './verdict.ts'
import { kindByName } from './verdict.ts'

/** Codes that decide the verdict regardless of the status and the message. Lower case. */
export const decisiveNames = kindByName({
  out_of_quota: [
    // OpenAI
    'insufficient_quota',
    'credit_balance_exhausted',
    'organization_spend_limit_exceeded',
    'project_spend_limit_exceeded',
    'organization_usage_limit_exceeded',
    'billing_hard_limit_reached',
    'billing_not_active',
    // Anthropic
    'billing_error',
    'enforced_spend_limit_reached',
    'contract_spend_limit_reached',
    'budget_exceeded', // LiteLLM
    'exceeded_current_quota_error', // Moonshot, with 429
    ...['insufficient_user_quota', 'pre_consume_token_quota_failed'], // new-api
  ],
  bad_credentials: [
    // OpenAI
    'invalid_api_key',
    'account_deactivated',
    'access_terminated',
    'unsupported_country_region_territory',
    // Anthropic
    'organization_on_hold',
    'claude_code_key_creator_not_member',
    'cmek_key_disabled',
    // Groq
    'organization_restricted',
  ],
  unknown_model: [
    'model_not_found', // OpenAI and most who copy it; also a 403 of a project without access
    'deploymentnotfound', // Azure
    'operationnotsupported', // Azure: the deployment's model does not do that
    'model_decommissioned', // Groq
    'model_permission_blocked_org', // Groq
    'model_permission_blocked_project', // Groq
    'model_terms_required', // Groq
    'model_not_available', // Together
    'invalid_model', // Mistral
    'model_not_supported', // GitHub, Hugging Face's router
    'key_model_access_denied', // LiteLLM
    'team_model_access_denied', // LiteLLM
    'model_not_active', // Groq
  ],
  too_long: [
    'context_length_exceeded', // OpenAI, Azure, Groq, OpenRouter
    'exceed_context_size_error', // llama.cpp
  ],
  refused: [
    // OpenAI
    'content_policy_violation',
    'invalid_prompt', // flagged, says the message
    'bio_policy',
    'cyber_policy',
    'moderation_blocked',
    // Azure
    'content_filter',
    'responsibleaipolicyviolation',
    ...['data_inspection_failed', 'datainspectionfailed'], // DashScope
    ...['content_moderation', 'content_policy', 'moderation_error', 'moderation'], // routers
    'hooks_failed', // Portkey: a guardrail denied it
    'prohibited_content', // Gemini
  ],
  rejected: ['request_too_large'], // Anthropic
  unsupported: [
    // OpenAI
    'unsupported_value',
    'unsupported_parameter',
    'unknown_parameter',
    'not_supported_error', // llama.cpp: a parameter that needs another start-up flag
    'untranslatable', // ours: the request has no words in the format of the provider
  ],
  overloaded: [
    // OpenAI
    'slow_down',
    'server_is_overloaded',
    'service_unavailable_error',
    // Anthropic
    'overloaded_error',
    'cmek_context_unavailable',
    'cmek_key_unreachable',
    'unavailable_error', // llama.cpp: the model is still loading
    'capacity_exceeded', // Groq
  ],
  rate_limited: ['ramp_limit_exceeded'], // Anthropic
})

/** Types, and codes used like types: they say what the status usually says too, and yield to the message. */
export const broadNames = kindByName({
  rate_limited: ['rate_limit_exceeded', 'rate_limit_error', 'requests', 'tokens'],
  bad_credentials: ['authentication_error', 'permission_error'],
  transient: ['server_error', 'internal_error', 'timeout_error', 'vector_store_timeout'],
})

/**
 * Statuses about how a request was sent (method, path, headers), not about its content: never the caller's
 * fault.
 */
const ofTheWay = [404, 405, 406, 410, 411, 414, 415, 417, 421, 426, 431]

const kindByStatus: ReadonlyMap<number, VerdictKind> = new Map([
  ...ofTheWay.map(status => [status, 'unsupported'] as const),
  [401, 'bad_credentials'],
  [402, 'out_of_quota'],
  [403, 'bad_credentials'],
  [407, 'transient'], // the operator's own proxy
  [408, 'transient'],
  [409, 'transient'],
  [424, 'transient'], // what it depends on failed
  [425, 'transient'],
  [429, 'rate_limited'],
  [446, 'refused'], // Portkey: denied by a guardrail
  [451, 'refused'], // StepFun: its review of contents
  [498, 'overloaded'], // Groq: no capacity in the flex tier
  [499, 'transient'], // given up there, by no wish of ours
  [529, 'overloaded'], // Anthropic
])

/**
 * What a status says when nothing else is known. A redirect is transient: calls do not follow one (it would
 * carry the key to another host), it comes from the operator's `base_url` or a portal in between, and never
 * from the caller.
 */
export const kindOfStatus = (status: number): VerdictKind =>
  kindByStatus.get(status) ?? (status >= 400 && status <= 499 ? 'rejected' : 'transient')
