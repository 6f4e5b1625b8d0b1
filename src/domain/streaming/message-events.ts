import type { JsonObject } from '../../json/json-object.ts'
import { asRecord, isFilledText } from '../classify/json-shape.ts'
import { eventText } from './sse-event.ts'

/** The events of a message of Anthropic's, in the order in which its clients expect them. */
export const messageEvents = (answer: JsonObject): string => {
  const { content, stop_reason, stop_sequence, stop_details, container, context_management, ...message } =
    answer
  const usage = asRecord(answer.usage) ?? { input_tokens: 0, output_tokens: 0 }
  const started = {
    ...message,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...usage, output_tokens: 0 },
  }
  const blocks = (Array.isArray(content) ? content : []).map(asRecord).filter(block => block !== null)
  return [
    event({ type: 'message_start', message: started }),
    ...blocks.flatMap(blockEvents),
    event({
      type: 'message_delta',
      delta: {
        stop_reason: stop_reason ?? null,
        stop_sequence: stop_sequence ?? null,
        stop_details,
        container,
      },
      usage,
      context_management,
    }),
    event({ type: 'message_stop' }),
  ].join('')
}

const event = (data: { readonly type: string } & JsonObject): string => eventText(data, data.type)

const blockEvents = (block: JsonObject, index: number): string[] => {
  const { begun, deltas } = growthOf(block)
  return [
    event({ type: 'content_block_start', index, content_block: begun }),
    ...deltas.map(delta => event({ type: 'content_block_delta', index, delta })),
    event({ type: 'content_block_stop', index }),
  ]
}

interface Growth {
  /** The block as it begins. */
  readonly begun: JsonObject
  readonly deltas: readonly JsonObject[]
}

const growthOf = (block: JsonObject): Growth => {
  switch (block.type) {
    case 'text':
      return textGrowth(block)
    case 'thinking':
      return thinkingGrowth(block)
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      return {
        begun: { ...block, input: {} },
        deltas: [{ type: 'input_json_delta', partial_json: JSON.stringify(block.input ?? {}) }],
      }
    // All others come whole.
    default:
      return { begun: block, deltas: [] }
  }
}

const textGrowth = (block: JsonObject): Growth => {
  const { text, citations } = block
  const cited = Array.isArray(citations) ? citations : []
  return {
    begun: { ...block, text: '', ...(Array.isArray(citations) && { citations: [] }) },
    deltas: [
      ...(isFilledText(text) ? [{ type: 'text_delta', text }] : []),
      ...cited.map(citation => ({ type: 'citations_delta', citation })),
    ],
  }
}

const thinkingGrowth = (block: JsonObject): Growth => {
  const { thinking, signature } = block
  return {
    begun: { ...block, thinking: '', ...(signature !== undefined && { signature: '' }) },
    deltas: [
      ...(isFilledText(thinking) ? [{ type: 'thinking_delta', thinking }] : []),
      ...(isFilledText(signature) ? [{ type: 'signature_delta', signature }] : []),
    ],
  }
}
