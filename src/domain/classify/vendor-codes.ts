import type { UpstreamDialect } from '../endpoint.ts'
import type { VerdictKind } from './verdict.ts'
import { kindByName } from './verdict.ts'

/** The meaning of one API's codes; the same code may mean something else in another API. */
export interface VendorCodes {
  /** Codes that decide regardless of the status and the message. Lower case. */
  readonly decisive: ReadonlyMap<string, VerdictKind>
  /** Yield to the message. Lower case. */
  readonly broad: ReadonlyMap<string, VerdictKind>
  /** Statuses that mean something else than elsewhere. */
  readonly statuses: ReadonlyMap<number, VerdictKind>
}

const none: VendorCodes = { decisive: new Map(), broad: new Map(), statuses: new Map() }

/** `google.rpc.Code`, the reasons of `google.rpc.ErrorInfo`, and OAuth's codes from the token server. */
const google: VendorCodes = {
  decisive: kindByName({
    bad_credentials: [
      'api_key_invalid', // comes as a 400
      'api_key_expired',
      'api_key_service_blocked',
      'api_key_http_referrer_blocked',
      'api_key_ip_address_blocked',
      'access_token_expired',
      'access_token_type_unsupported',
      'account_state_invalid',
      'credentials_missing',
      'consumer_invalid',
      'consumer_suspended',
      'iam_permission_denied',
      'service_disabled',
      'user_project_denied',
      'invalid_client',
      'invalid_grant',
      'unauthorized_client',
    ],
    out_of_quota: ['billing_disabled'],
  }),
  broad: kindByName({
    rate_limited: ['resource_exhausted'],
    overloaded: ['unavailable'],
    transient: ['internal', 'deadline_exceeded', 'cancelled', 'aborted', 'unknown'],
    bad_credentials: ['unauthenticated', 'permission_denied'],
    unknown_model: ['not_found'],
  }),
  statuses: new Map(),
}

/** The exceptions of `InvokeModel` and `Converse`, and those that all of AWS shares. */
const bedrock: VendorCodes = {
  decisive: kindByName({
    rate_limited: ['throttlingexception', 'throttling', 'toomanyrequestsexception'],
    overloaded: ['modelnotreadyexception', 'serviceunavailableexception', 'serviceunavailable'],
    transient: [
      'modeltimeoutexception',
      'modelerrorexception', // 424
      'modelstreamerrorexception', // 424
      'internalserverexception',
      'internalfailure',
    ],
    bad_credentials: [
      'unrecognizedclientexception',
      'invalidclienttokenid',
      'invalidsignatureexception',
      'signaturedoesnotmatch',
      'incompletesignature',
      'incompletesignatureexception',
      'missingauthenticationtoken',
      'missingauthenticationtokenexception',
      'expiredtoken',
      'expiredtokenexception',
      'optinrequired',
    ],
    unknown_model: ['resourcenotfoundexception'],
  }),
  broad: kindByName({
    // A 400: "the number of requests exceeds the service quota; resubmit your request later".
    rate_limited: ['servicequotaexceededexception'],
    bad_credentials: ['accessdeniedexception'],
  }),
  statuses: new Map(),
}

const cohere: VendorCodes = {
  ...none,
  statuses: new Map([
    [498, 'refused'], // input or output blocked
  ]),
}

const mistral: VendorCodes = {
  ...none,
  broad: kindByName({
    rate_limited: ['rate_limited', 'service_tier_capacity_exceeded'],
    transient: ['internal_server_error', 'unreachable_backend'],
    overloaded: ['service_unavailable'],
  }),
}

export const vendorCodes: Readonly<Record<UpstreamDialect, VendorCodes>> = {
  openai: none,
  anthropic: none,
  google,
  bedrock,
  cohere,
  mistral,
}
