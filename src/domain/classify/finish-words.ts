import { asCode } from './json-shape.ts'
import type { VerdictKind } from './verdict.ts'
import { kindByName } from './verdict.ts'

/**
 * The meaning of each API's finish reasons. Lower case. An unknown one decides nothing, because vendors
 * invent new ones: then the content decides.
 */
const meanings = kindByName({
  ok: [
    // OpenAI
    ...['stop', 'length', 'tool_calls', 'function_call'],
    // Anthropic, Bedrock
    ...['end_turn', 'stop_sequence', 'max_tokens', 'tool_use', 'pause_turn', 'model_context_window_exceeded'],
    // Cohere
    ...['complete', 'tool_call'],
    // Mistral, TGI, Together
    ...['model_length', 'eos_token', 'eos'],
  ],
  refused: [
    'content_filter', // OpenAI
    'refusal', // Anthropic
    ...['content_filtered', 'guardrail_intervened'], // Bedrock
    'sensitive', // Zhipu
    // Gemini
    ...['safety', 'recitation', 'blocklist', 'prohibited_content', 'spii', 'model_armor', 'jailbreak'],
    ...['image_safety', 'image_prohibited_content', 'image_recitation'],
    'error_toxic', // Cohere, its first API
  ],
  transient: [
    'error', // OpenRouter, Mistral, Cohere
    'timeout', // Cohere
    'network_error', // Zhipu
    ...['abort', 'aborted', 'cancelled'], // vLLM, SGLang
  ],
  overloaded: ['insufficient_system_resource'], // DeepSeek
  malformed: [
    // Gemini
    ...['malformed_function_call', 'malformed_response', 'unexpected_tool_call', 'too_many_tool_calls'],
    'function_call_filter', // Gemini's imitation of OpenAI's API: `function_call_filter: MALFORMED_FUNCTION_CALL`
    ...['malformed_model_output', 'malformed_tool_use'], // Bedrock
  ],
})

/** Promise calls, which the content must then hold. */
const calling: ReadonlySet<string> = new Set(['tool_calls', 'function_call', 'tool_use', 'tool_call'])

/**
 * The finish reason as a code, or null. Some append their own to OpenAI's: `content_filter:
 * PROHIBITED_CONTENT`.
 */
export const finishWord = (value: unknown): string | null =>
  asCode(
    typeof value === 'string' ? value.replace(/^(content_filter|function_call_filter)\s*:.*$/is, '$1') : null,
  )

export const meaningOf = (word: string | null): VerdictKind | undefined =>
  word === null ? undefined : meanings.get(word)

export const promisesCalls = (word: string | null): boolean => word !== null && calling.has(word)
