import type { SharedV4ProviderOptions } from '@ai-sdk/provider'
import type { ProviderConfig } from '../../config/schema.ts'
import type { UpstreamAnswer } from '../../domain/upstream.ts'
import type { Access } from '../credentials/access.ts'
import { type AwsKeys, createAwsKeys } from '../credentials/aws.ts'
import { type CredentialSource, fixed } from '../credentials/renewed.ts'
import type { Reach } from '../credentials/token-servers.ts'
import { type Effort, nearestEffort } from '../formats/effort.ts'
import { clamp, keep, leaveOut } from '../formats/field-rules.ts'
import {
  atMost,
  commonSupport,
  namesImageType,
  type ProviderHints,
  type Supported,
  wordIds,
} from '../formats/supported.ts'
import { fittedCalls, type SdkAdapter, unusedKey, withoutMaxEffort } from '../sdk-adapter.ts'
import type { UpstreamType } from '../upstream-type.ts'
import { bedrockCatalogue } from './bedrock-catalogue.ts'
import { type ClaudeModel, claudeModel, claudeSteering, thinkingBudget } from './claude-models.ts'
import { nineLetters } from './mistral.ts'

/** The parameters of `Converse`, for all models alike. */
const converseSupport: Supported = {
  ...commonSupport,
  // Only `s3://` addresses, which no client of OpenAI's or Anthropic's formats sends.
  imageUrl: url => url.startsWith('s3://') && namesImageType(url),
  jsonMode: false,
  needsTools: true,
  refusesBlanks: true,
  toolCallIds: wordIds,
}

/** Those of the newest whose schemas Bedrock does not know yet, or does not keep to. */
const isUnbound = (model: string): boolean => /claude-(?:(?:opus|sonnet|fable)-5|opus-4-[78])/.test(model)

const efforts = ['none', 'low', 'medium', 'high', 'max'] as const

/** Clients of Anthropic's own format say it in its own words, which hold here as well. */
const toldOf = (model: ClaudeModel, { thinking, maxOutputTokens }: ProviderHints) => {
  if (typeof thinking === 'number') {
    const config = { type: 'enabled', budgetTokens: thinking }
    return { maxOutputTokens: (maxOutputTokens ?? model.maxTokens ?? 4096) - thinking, config }
  }
  return { maxOutputTokens, config: thinking && model.thinks === 'adaptive' ? { type: thinking } : undefined }
}

/** The SDK's setting for thinking: it would add the budget to the answer's limit, which covers both. */
const thoughtOf = (model: ClaudeModel, hints: ProviderHints) => {
  const { effort, maxOutputTokens } = hints
  if (model.thinks === 'never') return { maxOutputTokens, config: undefined }
  if (effort === undefined || typeof hints.thinking === 'number') return toldOf(model, hints)
  if (effort === 'none') return { maxOutputTokens, config: { type: 'disabled' } }
  if (model.thinks === 'adaptive') {
    return { maxOutputTokens, config: { type: 'adaptive', maxReasoningEffort: effort } }
  }
  const limit = maxOutputTokens ?? model.maxTokens ?? 4096
  const budgetTokens = thinkingBudget(effort, limit, model)
  return { maxOutputTokens: limit - budgetTokens, config: { type: 'enabled', budgetTokens } }
}

const claudeSupport = (name: string, reasons: boolean | undefined): Supported => {
  const known = claudeModel(name, reasons)
  const model = known.thinks === 'adaptive' ? { ...known, efforts: named(known) } : known
  return {
    ...converseSupport,
    ...claudeSteering(model),
    oneToolOnly: true,
    strictTools: model.hasSchemas && !isUnbound(name),
    jsonSchema: (_, body) => model.isForced && !(isUnbound(name) && Array.isArray(body.tools)),
    earlierReasoning: 'signed',
    thinking: model.thinks === 'budget' ? keep : converseSupport.thinking,
    settings: hints => {
      const { maxOutputTokens, config } = thoughtOf(model, hints)
      return {
        maxOutputTokens,
        providerOptions: {
          ...(config ? { amazonBedrock: { reasoningConfig: config } } : {}),
          ...(hints.oneToolOnly ? { anthropic: { disableParallelToolUse: true } } : {}),
        } as SharedV4ProviderOptions,
      }
    },
  }
}

/** Bedrock has no name for the next to highest effort. */
const named = (model: ClaudeModel): readonly Effort[] =>
  efforts.filter(effort => model.efforts.includes(effort))

/** Converse takes no stop sequences for OpenAI's models, and sampling only for the open ones. */
const openaiSupport = (model: string): Supported => {
  const isOpen = model.includes('gpt-oss')
  return {
    ...converseSupport,
    temperature: isOpen ? clamp(0, 1) : leaveOut,
    topP: isOpen ? keep : leaveOut,
    effort: nearestEffort(['low', 'medium', 'high']),
    stops: atMost(0),
  }
}

const supportOf = (model: string, reasons: boolean | undefined): Supported => {
  if (model.includes('anthropic') || model.includes('claude')) return claudeSupport(model, reasons)
  if (/(?:^|\.)openai\./.test(model)) return openaiSupport(model)
  // The highest effort of Nova takes no limit beside it.
  const isNova = model.includes('amazon.nova-2-lite')
  return {
    ...converseSupport,
    temperature: clamp(0, 1),
    effort: nearestEffort(isNova ? ['none', 'low', 'medium'] : []),
    toolCallIds: model.includes('mistral.') ? nineLetters : wordIds,
  }
}

/** Words of AWS for keys that have ended or were taken back, which a renewal may mend. */
const refusedKeys = /^(?:ExpiredToken(?:Exception)?|UnrecognizedClientException)\b/

const typeOf = ({ headers, json }: UpstreamAnswer): string => {
  const { __type } = (json ?? {}) as Record<string, unknown>
  return (headers['x-amzn-errortype'] ?? (typeof __type === 'string' ? __type : '')).replace(/^.*#/, '')
}

const sourceOf = (config: ProviderConfig, region: string, reach: Reach): CredentialSource<AwsKeys> => {
  const {
    access_key_id: accessKeyId,
    secret_access_key: secretAccessKey,
    session_token: sessionToken,
  } = config
  const { profile, role_arn } = config
  if (accessKeyId === undefined || secretAccessKey === undefined)
    return createAwsKeys({ region, profile, role_arn }, reach)
  const keys = { accessKeyId, secretAccessKey, sessionToken }
  return role_arn === undefined ? fixed(keys, 'the config') : createAwsKeys({ region, role_arn, keys }, reach)
}

/** Calls without a bearer key are signed. */
const accessOf = (config: ProviderConfig, reach: Reach): Access<AwsKeys> => {
  const { region = '' } = config
  return {
    source: sourceOf(config, region, reach),
    signed: async (request, keys) => {
      const { signedByAws } = await import('../aws-signature.ts')
      const headers = await signedByAws(request, keys, { region, nowMs: reach.now() })
      return { path: request.path, headers }
    },
    secretsIn: ({ secretAccessKey, sessionToken = '' }) => [secretAccessKey, sessionToken].filter(Boolean),
    isRefusal: answer => refusedKeys.test(typeOf(answer)),
  }
}

const converse = (config: ProviderConfig): SdkAdapter => ({
  supported: supportOf,
  headers: [],
  dryRunAnswer: {
    output: { message: { role: 'assistant', content: [] } },
    stopReason: 'end_turn',
    usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
  },
  ...fittedCalls(async (model, { baseUrl, apiKey, fetch }) => {
    const { createAmazonBedrock } = await import('@ai-sdk/amazon-bedrock')
    const provider = createAmazonBedrock({
      region: config.region,
      // Never absent: the SDK would look for a key in the environment, or sign what is not yet what goes out.
      apiKey: apiKey ?? unusedKey,
      baseURL: baseUrl,
      fetch,
    })
    return provider(model)
  }, withoutMaxEffort),
})

/** Where the runtime is: https://docs.aws.amazon.com/general/latest/gr/bedrock.html */
const hostOf = (region: string): string =>
  `https://bedrock-runtime.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`

/**
 * Amazon Bedrock by `Converse`, which is the same for all of its models; signed by AWS keys, of the config or where AWS's own
 * tools find them, or with a bearer key.
 */
export const bedrock = (config: ProviderConfig): UpstreamType => ({
  dialect: 'bedrock',
  baseUrl: config.region === undefined ? null : hostOf(config.region),
  native: [],
  nativePath: () => {
    throw new Error('no endpoint is native to Bedrock')
  },
  // The control plane has it, at another host, by a permission of its own: a check asks what calls go to.
  listing: null,
  catalogue: bedrockCatalogue,
  translated: ['/v1/chat/completions', '/v1/messages', '/v1/responses'],
  translatedTo: null,
  sdk: converse(config),
  keyHeaders: apiKey => ({ authorization: `Bearer ${apiKey}` }),
  ...(config.api_key === undefined &&
    config.api_keys === undefined && { openAccess: reach => accessOf(config, reach) }),
})
