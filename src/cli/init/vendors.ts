import { presetNames, presets } from '../../config/presets.ts'

/** A vendor, a cloud, or a server of one's own, that `baton init` can set up with one key, or none. */
export interface Vendor {
  /** The `type` of its provider, and its name. */
  readonly type: string
  /** Variables in which its key is looked for; the first is the usual one. Empty for one that takes no key. */
  readonly keyVariables: readonly string[]
  readonly needsKey: boolean
  /** Models for chats, the ones to propose first. */
  readonly usual: readonly string[]
}

/** Each is in the tables of `@pydantic/genai-prices`, if its vendor is. */
const usualModels: Readonly<Record<string, readonly string[]>> = {
  openai: ['gpt-5.4-mini', 'gpt-5.4', 'gpt-4o-mini'],
  anthropic: ['claude-sonnet-4-6', 'claude-sonnet-4-5', 'claude-haiku-4-5'],
  google: ['gemini-2.5-flash', 'gemini-2.5-pro'],
  mistral: ['mistral-medium-latest', 'mistral-large-latest', 'mistral-small-latest'],
  cohere: ['command-a-03-2025', 'command-r-plus-08-2024'],
  vertex: ['gemini-2.5-flash', 'gemini-2.5-pro'],
  groq: ['llama-3.3-70b-versatile', 'openai/gpt-oss-120b'],
  deepseek: ['deepseek-v4-flash', 'deepseek-chat'],
  together: ['meta-llama/Llama-3.3-70B-Instruct-Turbo'],
  fireworks: ['accounts/fireworks/models/gpt-oss-120b', 'accounts/fireworks/models/kimi-k2p6'],
  openrouter: ['anthropic/claude-sonnet-4.6', 'openai/gpt-5.4'],
  xai: ['grok-4.3', 'grok-3'],
  perplexity: ['sonar-pro', 'sonar'],
  cerebras: ['gpt-oss-120b', 'llama3.1-8b'],
  moonshot: ['kimi-k2.6', 'kimi-k2-thinking'],
}

const vendor = (type: string, keyVariables: readonly string[], needsKey = true): Vendor => ({
  type,
  keyVariables,
  needsKey,
  usual: usualModels[type] ?? [],
})

/** In the order in which their keys are looked for, which is that of the routes. */
export const vendors: readonly Vendor[] = [
  vendor('openai', ['OPENAI_API_KEY']),
  vendor('anthropic', ['ANTHROPIC_API_KEY']),
  vendor('google', ['GEMINI_API_KEY', 'GOOGLE_API_KEY']),
  vendor('mistral', ['MISTRAL_API_KEY']),
  vendor('cohere', ['COHERE_API_KEY', 'CO_API_KEY']),
  // A deployment's, and a model's of a region, have no usual name.
  vendor('azure', ['AZURE_OPENAI_API_KEY', 'AZURE_API_KEY'], false),
  vendor('bedrock', ['AWS_BEARER_TOKEN_BEDROCK'], false),
  vendor('vertex', [], false),
  ...presetNames.map(name => vendor(name, [presets[name].keyVariable], presets[name].key === 'needed')),
]

export const vendorOf = (type: string): Vendor | undefined => vendors.find(each => each.type === type)

/** What a list of models has beside those that answer chats. */
const otherUse =
  /embed|whisper|tts|dall-e|moderation|image|audio|realtime|rerank|guard|ocr|transcribe|speech|voice|video|sora|imagen|veo|davinci|babbage|computer-use|search-preview|deep-research/i

/** The model to propose: a usual one that the list has, else the first that looks like one for chats; null of an empty list. */
export const proposedModel = ({ usual }: Vendor, listed: readonly string[] | null): string | null => {
  if (listed === null) return usual[0] ?? null
  return (
    usual.find(model => listed.includes(model)) ??
    listed.find(model => !otherUse.test(model)) ??
    listed[0] ??
    null
  )
}
