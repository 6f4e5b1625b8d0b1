import type { UpstreamDialect } from '../endpoint.ts'

/** `says` is tested against the start of the message, in lower case. */
export type Wording = readonly [
  says: RegExp,
  reason: string,
  statuses?: readonly number[],
  dialect?: UpstreamDialect,
]

/**
 * Judged by status alone, a refusal would look like the caller's mistake, or, as a 403, stop the key for all
 * jobs.
 */
const refusing = [400, 403, 422]

/** Messages of providers that refuse a content with an error. */
export const flagged: readonly Wording[] = [
  [/\binput was flagged\b/, 'moderation', refusing], // OpenRouter
  [/\bprompt was flagged\b/, 'moderation', refusing], // OpenAI, of reasoning models
  [/\bcontent management policy\b/, 'content_filter', refusing], // Azure
  [
    /\bcontent[ _-]?(?:filter(?:ing)?|policy|usage)(?: policy| guidelines)?\b.*\b(?:block|violat|trigger|reject)/,
    'content_filter',
    refusing,
  ],
  [
    /\b(?:blocked|rejected|filtered|flagged) (?:by|as a result of|due to) (?:our |the |a )?(?:content|safety|moderation|guardrail|prohibited)/,
    'content_filter',
    refusing,
  ],
  [/\bcontentpolicyviolationerror\b/, 'content_filter', refusing], // LiteLLM
  [/\bcontent violates usage guidelines\b/, 'content_filter', refusing], // xAI
  [/\binappropriate content\b/, 'content_filter', refusing], // DashScope
  [/^content exists risk\b/, 'content_filter', refusing], // DeepSeek
  [/\bconsidered high risk\b/, 'content_filter', refusing], // Moonshot
  [
    /\bviolat(?:e|es|ed|ing|ion of) (?:our|the) (?:usage|content|safety|acceptable use) polic/,
    'content_filter',
    refusing,
  ],
]

/** A mistake is a 400 or a 422 nearly everywhere; a 404 that speaks of support means a model. */
const judging = [400, 422, 501]

/**
 * Messages about a parameter that the provider or the model does not support, while the next target may. They
 * move only this job, so they may match anywhere in the text: a match in a quoted prompt costs one handover.
 */
export const unfit: readonly Wording[] = [
  [
    /^no (?:endpoints?|allowed providers?) (?:found|are available|available)\b/,
    'no_endpoint',
    [400, 403, 404],
  ], // OpenRouter
  [
    /\brole\b.*\bdeveloper\b|\bdeveloper\b.*\brole\b|^(?:invalid |unknown |unexpected )?role\b.*\bexpected\b/,
    'unsupported_role',
    judging,
  ],
  [
    /\bmaximum (?:allowed )?number of output tokens\b|\bsupports at most \d+ completion tokens\b/,
    'output_limit',
    judging,
  ],
  [
    /\bmax(?:_completion|_output)?_tokens\b.*\b(?:instead|too large|at most|less than or equal)\b/,
    'output_limit',
    judging,
  ],
  [
    /\bunsupported(?:params?error|_\w+)?\b|\bn[o']t (?:currently |yet )?support(?:ed|s)?\b|\bdoes not (?:\w+ )?support\b/,
    'unsupported_parameter',
    judging,
  ],
  [
    /\b(?:unrecogni[sz]ed|unknown|unexpected) (?:\w+ )?(?:argument|parameter|field|key|property|name|variant|keyword)\b/,
    'unknown_parameter',
    judging,
  ],
  [
    /\bextra (?:inputs?|fields?) (?:are |is )?not (?:permitted|allowed)\b|\badditional propert(?:y|ies)\b.*\bnot allowed\b/,
    'unknown_parameter',
    judging,
  ],
  [
    /\b(?:deprecated|not (?:available|enabled|allowed|permitted|implemented)) (?:for|with|on|in|by) \S/,
    'unsupported_parameter',
    judging,
  ],
  [
    /\bonly (?:supports?|supported|available|works)\b|\bcannot both be specified\b/,
    'unsupported_parameter',
    judging,
  ],
  [/--enable-auto-tool-choice|--tool-call-parser/, 'unsupported_parameter', judging], // vLLM
]
