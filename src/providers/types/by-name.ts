import { presets } from '../../config/presets.ts'
import type { ProviderConfig } from '../../config/schema.ts'
import type { UpstreamType } from '../upstream-type.ts'
import { anthropic } from './anthropic.ts'
import { azure } from './azure.ts'
import { bedrock } from './bedrock.ts'
import { cohere } from './cohere.ts'
import { google } from './google.ts'
import { mistral } from './mistral.ts'
import { openai, openaiCompatible, openaiCopy } from './openai.ts'
import { vertex } from './vertex.ts'

/** Throws where a setting cannot be used: a file of credentials that is not there. */
export const upstreamTypeOf = (config: ProviderConfig): UpstreamType => {
  switch (config.type) {
    case 'openai':
      return openai
    case 'anthropic':
      return anthropic(config)
    case 'openai-compatible':
      return openaiCompatible
    case 'azure':
      return azure(config)
    case 'google':
      return google
    case 'vertex':
      return vertex(config)
    case 'cohere':
      return cohere
    case 'bedrock':
      return bedrock(config)
    case 'mistral':
      return mistral
    case 'simulated':
      return { ...(config.format === 'anthropic' ? anthropic(config) : openai), baseUrl: null }
    default:
      return openaiCopy(presets[config.type])
  }
}
