import type { LanguageModelV4CallOptions, SharedV4ProviderOptions } from '@ai-sdk/provider'
import type { ProviderConfig } from '../../config/schema.ts'
import { UntranslatableError } from '../edges/edge.ts'
import { commonReach, namesImageType, type Reach, within, wordId } from '../edges/reach.ts'
import type { UpstreamType } from '../upstream-type.ts'
import { type Way, withoutMaxEffort } from '../way.ts'

/** Of `Converse`; what single model families lack the SDK knows. */
const converseReach: Reach = {
  ...commonReach,
  // The SDK would bend what is beyond, and Bedrock refuses it.
  temperature: within(0, 1),
  // Only `s3://` addresses, which no client of OpenAI's or Anthropic's formats sends.
  imageUrl: url => url.startsWith('s3://') && namesImageType(url),
  oneToolOnly: true,
  jsonMode: false,
  toolCallId: wordId,
  options: ({ oneToolOnly }): SharedV4ProviderOptions =>
    oneToolOnly ? { anthropic: { disableParallelToolUse: true } } : {},
}

/** Only Claude can be told to call one tool at a time, and the SDK is silent about the others. */
const refuseOneToolOnly = (model: string, { providerOptions }: LanguageModelV4CallOptions): void => {
  if (providerOptions?.anthropic?.disableParallelToolUse && !model.includes('anthropic.')) {
    throw new UntranslatableError('parallel_tool_calls')
  }
}

/** The headers of a request signed by Signature Version 4; with a bearer key only the first. */
const signatureHeaders = ['authorization', 'x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256']

const converse = (config: ProviderConfig): Way => ({
  reach: converseReach,
  headers: signatureHeaders,
  bareAnswer: {
    output: { message: { role: 'assistant', content: [] } },
    stopReason: 'end_turn',
    usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
  },
  generate: async (model, { baseUrl, apiKey, fetch }, options) => {
    refuseOneToolOnly(model, options)
    const { createAmazonBedrock } = await import('@ai-sdk/amazon-bedrock')
    const provider = createAmazonBedrock({
      region: config.region,
      accessKeyId: config.access_key_id,
      secretAccessKey: config.secret_access_key,
      sessionToken: config.session_token,
      // Empty rather than absent: the SDK would look for a key in the environment, and prefer it to the signature.
      apiKey: apiKey ?? '',
      baseURL: baseUrl,
      fetch,
    })
    return await provider(model).doGenerate(withoutMaxEffort(options))
  },
})

/** Where the runtime is: https://docs.aws.amazon.com/general/latest/gr/bedrock.html */
const hostOf = (region: string): string =>
  `https://bedrock-runtime.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`

/** Amazon Bedrock by `Converse`, which is the same for all of its models; signed by AWS keys, or with a bearer key. */
export const bedrock = (config: ProviderConfig): UpstreamType => ({
  dialect: 'bedrock',
  baseUrl: config.region === undefined ? null : hostOf(config.region),
  native: [],
  nativePath: () => {
    throw new Error('no endpoint is native to Bedrock')
  },
  // The control plane has it, at another host.
  listing: null,
  translated: ['/v1/chat/completions', '/v1/messages'],
  translatedTo: null,
  way: converse(config),
  // The SDK sets it, as it sets the signature.
  keyHeaders: () => ({}),
})
