import type { UpstreamDialect } from '../endpoint.ts'
import type { VerdictKind } from '../verdict.ts'
import type { Finding } from './finding.ts'

/** `says` is tested against the start of the message, in lower case. */
type Wording = readonly [
  says: RegExp,
  reason: string,
  statuses?: readonly number[],
  dialect?: UpstreamDialect,
]

/** Larger than the whole per-minute limit: waiting never helps. OpenAI says it with 429, Groq with 413. */
const neverFits: readonly Wording[] = [[/^request too large\b/, 'request_too_large', [413, 429]]]

/** Prompt and answer do not fit the model; some say so without a code, and under any status. */
const promptTooLong: readonly Wording[] = [
  [/\bprompt is too long\b/, 'prompt_too_long'], // Anthropic, Fireworks
  [/\bexceeds? context limit\b/, 'prompt_too_long'], // Anthropic: input and max_tokens together
  [/\bmaximum context length\b/, 'prompt_too_long'], // OpenAI, vLLM, OpenRouter, Mistral
  [/\bexceeds? (?:the )?(?:available )?context (?:length|window|size)\b/, 'prompt_too_long'], // llama.cpp, Ollama
  [/\bcontext (?:length|window|size) (?:has been )?exceeded\b/, 'prompt_too_long'], // LM Studio
  [/\blonger than the (?:maximum model|model's context) length\b/, 'prompt_too_long'], // vLLM, SGLang
  [/\breduce the length of the (?:messages|prompt|input)\b/, 'prompt_too_long'], // Groq, Cerebras
  [/\binput token count\b.*\b(?:exceeds|supports)\b/, 'prompt_too_long', [400], 'google'],
  [/\binput is too long\b|\btoo many input tokens\b/, 'prompt_too_long', [400], 'bedrock'],
  [/^too many tokens\b/, 'prompt_too_long', [400], 'cohere'],
]

const noMoney: readonly Wording[] = [
  [/^you have reached your specified (?:workspace )?api usage/, 'usage_limit'], // Anthropic: 400
  [/^your credit balance is too low\b/, 'credit_balance_too_low'], // Anthropic: 400
  [/\bspend(?:ing)? limit\b/, 'spend_limit', [402, 403, 429]], // Anthropic
  [/^insufficient (?:balance|credits|quota)\b/, 'insufficient_quota'], // DeepSeek, OpenRouter
  [/^key limit exceeded\b/, 'key_limit', [403]], // OpenRouter
  [/^out of call volume quota\b/, 'insufficient_quota', [403]], // Azure
  [/^your prepayment credits are depleted\b/, 'credits_depleted', [429], 'google'],
  [/^you are using a trial key, which is limited to .*\bmonth\b/, 'trial_limit', [429], 'cohere'],
]

const badAccount: readonly Wording[] = [
  [/^incorrect api key provided\b/, 'invalid_api_key'], // xAI: 400
  [/^this organization has been disabled\b/, 'organization_disabled'], // Anthropic: 400
  [/^api key (?:not valid|expired)\b/, 'api_key_invalid', [400], 'google'],
  [/^user location is not supported\b/, 'location_not_supported', [400], 'google'],
]

const noSuchModel: readonly Wording[] = [
  [/^model: /, 'model_not_found', [404], 'anthropic'],
  [/^the model \S+ does not exist\b/, 'model_not_found'], // OpenAI, vLLM
  [/^model \S+ not found\b/, 'model_not_found'], // Ollama, llama.cpp
  [/^model not (?:found|exist)\b/, 'model_not_found'], // Fireworks, DeepSeek
  [/^\S+ is not a valid model id\b/, 'model_not_found'], // OpenRouter
  [/^no endpoints found for /, 'model_not_found'], // OpenRouter
  [/^invalid url \(/, 'invalid_url', [404]], // OpenAI, for a wrong `base_url`: the operator's path, never the caller's
  [/^resource not found$/, 'resource_not_found', [404], 'openai'], // Azure: a wrong base or version
  [/^api version not supported\b/, 'api_version', [400, 404], 'openai'], // Azure
  [/^the provided model identifier is invalid\b/, 'invalid_model', [400], 'bedrock'],
  [/^invocation of model id \S+ with on-demand throughput\b/, 'needs_inference_profile', [400], 'bedrock'],
  [/^you don.t have access to the model\b/, 'model_access', [403], 'bedrock'],
  [/^access denied\. this model is marked by provider as legacy\b/, 'legacy_model', [403, 404], 'bedrock'],
  [/^model \S+ was removed\b/, 'model_removed', [404], 'cohere'],
]

/** OpenRouter answers 403 for a flagged prompt; by status alone one prompt would stop the key for everybody. */
const flagged: readonly Wording[] = [[/\binput was flagged\b/, 'moderation', [403]]]

/** OpenAI, TGI, Ollama, llama.cpp. */
const busy: readonly Wording[] = [
  [/\boverloaded\b|\bserver busy\b|\bat capacity\b|\bloading model\b/, 'overloaded', [429, 500, 503]],
]

/**
 * Facts that providers put into words only. First match wins. A wording whose verdict harms other jobs (it stops a
 * key or a target) is anchored or bound to statuses, because messages quote the caller's own values and nobody may
 * stop a provider by writing "your credit balance is too low" into a field.
 */
const wordings: readonly (readonly [VerdictKind, readonly Wording[]])[] = [
  ['too_long', [...neverFits, ...promptTooLong]],
  ['out_of_quota', noMoney],
  ['bad_credentials', badAccount],
  ['unknown_model', noSuchModel],
  ['rejected', flagged],
  ['overloaded', busy],
]

/** What the message alone says, or null. */
export function judgeWording(message: string, status: number, dialect: UpstreamDialect): Finding | null {
  for (const [kind, group] of wordings) {
    const match = group.find(
      ([says, , statuses = [status], only = dialect]) =>
        statuses.includes(status) && only === dialect && says.test(message),
    )
    if (match !== undefined) return { kind, reason: match[1] }
  }
  return null
}
