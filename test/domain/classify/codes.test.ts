import { describe, expect, test } from 'vitest'
import type { VerdictKind } from '../../../src/domain/classify/verdict.ts'
import { anthropic, anthropicFails, openai, openaiFails, verdictOf } from './outcomes.ts'

/** Codes that settle the matter alone; each is tried under statuses and in places that would say something else. */
const decisive: Partial<Record<VerdictKind, readonly string[]>> = {
  out_of_quota: [
    'insufficient_quota',
    'credit_balance_exhausted',
    'organization_spend_limit_exceeded',
    'project_spend_limit_exceeded',
    'organization_usage_limit_exceeded',
    'billing_hard_limit_reached',
    'billing_not_active',
    'billing_error',
    'budget_exceeded',
    'exceeded_current_quota_error',
    'insufficient_user_quota',
    'enforced_spend_limit_reached',
    'contract_spend_limit_reached',
  ],
  bad_credentials: [
    'invalid_api_key',
    'account_deactivated',
    'access_terminated',
    'unsupported_country_region_territory',
    'organization_on_hold',
    'claude_code_key_creator_not_member',
    'cmek_key_disabled',
    'organization_restricted',
  ],
  unknown_model: [
    'model_not_found',
    'DeploymentNotFound',
    'model_decommissioned',
    'model_permission_blocked_org',
    'model_permission_blocked_project',
    'model_terms_required',
    'model_not_available',
    'invalid_model',
    'model_not_supported',
    'key_model_access_denied',
  ],
  too_long: ['context_length_exceeded', 'exceed_context_size_error'],
  refused: [
    ...['content_policy_violation', 'invalid_prompt', 'bio_policy', 'cyber_policy', 'moderation_blocked'],
    ...['content_filter', 'ResponsibleAIPolicyViolation', 'data_inspection_failed', 'DataInspectionFailed'],
    ...['content_moderation', 'moderation', 'hooks_failed', 'PROHIBITED_CONTENT'],
  ],
  rejected: ['request_too_large'],
  unsupported: [
    'unsupported_value',
    'unsupported_parameter',
    'unknown_parameter',
    'not_supported_error',
    'untranslatable',
  ],
  overloaded: [
    'slow_down',
    'server_is_overloaded',
    'service_unavailable_error',
    'overloaded_error',
    'cmek_context_unavailable',
    'cmek_key_unreachable',
    'unavailable_error',
    'capacity_exceeded',
  ],
  rate_limited: ['ramp_limit_exceeded'],
}

const rows = Object.entries(decisive).flatMap(([kind, codes]) => codes.map(code => [code, kind] as const))

describe('a decisive code outweighs type, message and status', () => {
  test.each(rows)('%s is %s', (code, kind) => {
    const verdict = `${kind}/${code.toLowerCase()}`
    for (const status of [400, 403, 429, 500]) {
      expect(verdictOf(openaiFails(status, code, 'rate_limit_error'), openai)).toBe(verdict)
      expect(verdictOf(openaiFails(status, null, code), openai)).toBe(verdict)
      expect(verdictOf(openaiFails(status, code, null, 'prompt is too long'), openai)).toBe(verdict)
      expect(verdictOf(anthropicFails(status, 'rate_limit_error', 'No.', code), anthropic)).toBe(verdict)
    }
  })
})
