import type { UpstreamDialect } from '../endpoint.ts'
import { flagged, unfit, type Wording } from './request-messages.ts'
import type { Finding, VerdictKind } from './verdict.ts'

/** Larger than the whole per-minute limit: waiting never helps. OpenAI says it with 429, Groq with 413. */
const neverFits: readonly Wording[] = [[/^request too large\b/, 'request_too_large', [413, 429]]]

/** Prompt and answer do not fit the model; some say so without a code, and under any status. */
const promptTooLong: readonly Wording[] = [
  [/\bcontextwindowexceedederror\b/, 'prompt_too_long'], // LiteLLM
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
  [/^budget has been exceeded\b/, 'budget_exceeded'], // LiteLLM
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
  [/^(?:litellm\.\w+: )?invalid model name passed in model=/, 'model_not_found'], // LiteLLM
  [/^key not allowed to access model\b/, 'model_access', [401, 403]], // LiteLLM
  [/^no available channel for model\b/, 'no_channel', [400, 403, 404, 503]], // new-api
  [/^当前分组 .{0,64} 下对于模型 .{0,128} 无可用渠道/, 'no_channel', [400, 403, 404, 503]], // one-api
  [/^model \S+ was removed\b/, 'model_removed', [404], 'cohere'],
]

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
  ['refused', flagged],
  ['bad_credentials', badAccount],
  ['unknown_model', noSuchModel],
  ['unsupported', unfit],
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
