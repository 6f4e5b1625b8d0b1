import type { LanguageModelV4ReasoningPart, SharedV4ProviderMetadata } from '@ai-sdk/provider'
import { isJsonObject } from '../../json/json-object.ts'
import type { Supported } from './supported.ts'

/**
 * Stands where Anthropic's format wants a signature, in the reasoning of models that sign nothing. Anthropic
 * would refuse it, so that such blocks are never sent there.
 */
export const unsigned = 'baton-unsigned'

/** A block of Anthropic's format, in which a model's reasoning comes back in a later turn. */
export type ThinkingBlock =
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }
  | { readonly type: 'redacted_thinking'; readonly data: string }

export const isThinkingBlock = (value: unknown): value is ThinkingBlock =>
  isJsonObject(value) &&
  ((value.type === 'thinking' && typeof value.thinking === 'string') ||
    (value.type === 'redacted_thinking' && typeof value.data === 'string'))

/** The clouds that serve Claude take each other's signatures. */
const signedBy = (options: Record<string, string>) => ({ anthropic: options, amazonBedrock: options })

const signedPart = (block: ThinkingBlock): LanguageModelV4ReasoningPart[] => {
  if (block.type === 'redacted_thinking') {
    return [{ type: 'reasoning', text: '', providerOptions: signedBy({ redactedData: block.data }) }]
  }
  const { signature } = block
  if (!signature || signature === unsigned) return []
  return [{ type: 'reasoning', text: block.thinking, providerOptions: signedBy({ signature }) }]
}

/**
 * What a model is shown of the reasoning in an earlier turn: Claude what Claude has signed; models without
 * signatures the text of a turn in which tools were called, as they ask for that alone and it is forbidden
 * elsewhere by some.
 */
export const reasoningParts = (
  blocks: readonly ThinkingBlock[],
  callsTools: boolean,
  { earlierReasoning }: Supported,
): LanguageModelV4ReasoningPart[] => {
  if (earlierReasoning === 'signed') return blocks.flatMap(signedPart)
  if (earlierReasoning === 'none' || !callsTools) return []
  return blocks.flatMap(block =>
    block.type === 'thinking' && block.thinking !== '' ? [{ type: 'reasoning', text: block.thinking }] : [],
  )
}

const textAt = (metadata: SharedV4ProviderMetadata | undefined, key: string): string | undefined => {
  const value = metadata?.anthropic?.[key] ?? metadata?.amazonBedrock?.[key] ?? metadata?.bedrock?.[key]
  return typeof value === 'string' ? value : undefined
}

/** The reasoning in an answer as a block that can come back. */
export const thinkingBlockOf = (
  text: string,
  metadata: SharedV4ProviderMetadata | undefined,
): ThinkingBlock => {
  const data = textAt(metadata, 'redactedData')
  if (data !== undefined) return { type: 'redacted_thinking', data }
  return { type: 'thinking', thinking: text, signature: textAt(metadata, 'signature') ?? unsigned }
}
