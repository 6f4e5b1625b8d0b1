import type { LanguageModelV4Reasoning, LanguageModelV4StreamPart } from '@ai-sdk/provider'
import type {
  ContentBlock,
  RawContentBlockDelta,
  RawMessageStreamEvent,
} from '@anthropic-ai/sdk/resources/messages'
import type { SseEvent } from '../../domain/streaming/sse-event.ts'
import {
  emptyMessage,
  inputOf,
  noPlaceForFiles,
  stopReasonOf,
  toolUseOf,
  usageOf,
} from './anthropic-messages-response.ts'
import { thinkingBlockOf } from './earlier-reasoning.ts'
import type { AnswerFacts, StreamEncoder } from './format-adapter.ts'
import { eventOf, type Part, type ReasoningPart, Thoughts } from './stream-parts.ts'

interface Tool {
  readonly kind: 'tool'
  readonly id: string
  input: string
}

/** The block that is being written. */
type OpenBlock =
  | Tool
  | { readonly kind: 'text'; readonly id: string }
  | { readonly kind: 'thinking'; readonly thought: LanguageModelV4Reasoning }

type BlockPart = ReasoningPart | Part<'text-delta' | 'tool-input-start' | 'tool-input-delta' | 'tool-call'>

const event = (data: RawMessageStreamEvent): SseEvent => eventOf(data, data.type)

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const toolIdOf = (part: BlockPart): string | null => {
  if (part.type === 'tool-call') return part.toolCallId
  return part.type === 'tool-input-start' || part.type === 'tool-input-delta' ? part.id : null
}

/**
 * The events of an Anthropic message. Its blocks come one after the other, also where a vendor writes several tool calls at a
 * time: what belongs to another waits until the input of the one before is whole.
 */
export class MessageEvents implements StreamEncoder {
  readonly #facts: AnswerFacts
  #id: string | undefined
  #hasBegun = false
  /** Of the last block that was begun. */
  #index = -1
  #open: OpenBlock | null = null
  readonly #tools: Tool[] = []
  readonly #thoughts = new Thoughts()
  readonly #shown = new Set<LanguageModelV4Reasoning>()
  #waiting: BlockPart[] = []

  constructor(facts: AnswerFacts) {
    this.#facts = facts
  }

  take(part: LanguageModelV4StreamPart): SseEvent[] {
    switch (part.type) {
      case 'response-metadata':
        this.#id = part.id ?? this.#id
        return []
      case 'text-delta':
      case 'reasoning-start':
      case 'reasoning-delta':
      case 'reasoning-end':
      case 'tool-input-start':
      case 'tool-input-delta':
      case 'tool-call':
        return this.#takeInTurn(part)
      case 'finish':
        return this.#finish(part)
      case 'file':
        throw noPlaceForFiles()
      default:
        return []
    }
  }

  #takeInTurn(part: BlockPart): SseEvent[] {
    if (this.#mustWait(part)) {
      this.#waiting.push(part)
      return []
    }
    return [...this.#write(part), ...this.#release()]
  }

  #mustWait(part: BlockPart): boolean {
    if (this.#open?.kind === 'tool' && this.#open.id === toolIdOf(part)) return false
    return this.#waiting.length > 0 || this.#isMidway()
  }

  #isMidway(): boolean {
    return this.#open?.kind === 'tool' && !isJson(this.#open.input)
  }

  /** Writes what waited, as far as it need not wait again. */
  #release(): SseEvent[] {
    if (this.#waiting.length === 0 || this.#isMidway()) return []
    const waiting = this.#waiting
    this.#waiting = []
    return waiting.flatMap(part => this.#takeInTurn(part))
  }

  #write(part: BlockPart): SseEvent[] {
    switch (part.type) {
      case 'text-delta':
        return part.delta === '' ? [] : this.#text(part)
      case 'tool-input-start':
        return this.#call(part.id, part.toolName)
      case 'tool-input-delta':
        return this.#input(part.id, part.delta)
      case 'tool-call':
        return this.#wholeCall(part)
      default:
        return this.#reasoning(part)
    }
  }

  #text({ id, delta }: Part<'text-delta'>): SseEvent[] {
    const isOpen = this.#open?.kind === 'text' && this.#open.id === id
    return [
      ...(isOpen ? [] : this.#begin({ kind: 'text', id }, { type: 'text', text: '', citations: null })),
      this.#delta({ type: 'text_delta', text: delta }),
    ]
  }

  /** It shows only at its first text, or its end, whether it is redacted. */
  #reasoning(part: ReasoningPart): SseEvent[] {
    const thought = this.#thoughts.take(part)
    const isOpen = (): boolean => this.#open?.kind === 'thinking' && this.#open.thought === thought
    const delta = part.type === 'reasoning-delta' ? part.delta : ''
    const isDue = delta !== '' || (part.type === 'reasoning-end' && !this.#shown.has(thought))
    const begun = isDue && !isOpen() ? this.#beginThought(thought) : []
    const said = delta === '' ? [] : [this.#delta({ type: 'thinking_delta', thinking: delta })]
    return [...begun, ...said, ...(part.type === 'reasoning-end' && isOpen() ? this.#close() : [])]
  }

  #beginThought(thought: LanguageModelV4Reasoning): SseEvent[] {
    this.#shown.add(thought)
    const block = thinkingBlockOf('', thought.providerMetadata)
    return this.#begin(
      { kind: 'thinking', thought },
      block.type === 'thinking' ? { ...block, signature: '' } : block,
    )
  }

  #call(id: string, name: string): SseEvent[] {
    const tool: Tool = { kind: 'tool', id, input: '' }
    this.#tools.push(tool)
    return this.#begin(tool, toolUseOf(id, this.#facts.toolNames.original(name), {}))
  }

  #input(id: string, text: string): SseEvent[] {
    if (this.#open?.kind !== 'tool' || this.#open.id !== id || text === '') return []
    this.#open.input += text
    return [this.#delta({ type: 'input_json_delta', partial_json: text })]
  }

  /** The call as a whole, of which most or all has come in pieces, or nothing yet. */
  #wholeCall({ toolCallId: id, toolName, input }: Part<'tool-call'>): SseEvent[] {
    const begun = this.#tools.some(tool => tool.id === id) ? [] : this.#call(id, toolName)
    if (this.#open?.kind !== 'tool' || this.#open.id !== id) return begun
    const rest = this.#open.input === '' ? this.#input(id, input) : []
    return [...begun, ...rest, ...this.#close()]
  }

  #finish({ finishReason, usage }: Part<'finish'>): SseEvent[] {
    const last: SseEvent[] = []
    while (this.#waiting.length > 0) last.push(...this.#close(), ...this.#release())
    last.push(...this.#close(), ...this.#start())
    for (const { input } of this.#tools) inputOf(input, finishReason.unified === 'length')
    const stop_reason = stopReasonOf(finishReason, this.#tools.length > 0)
    const delta = { stop_reason, stop_sequence: null, stop_details: null, container: null }
    last.push(event({ type: 'message_delta', delta, usage: usageOf(usage) }), event({ type: 'message_stop' }))
    return last
  }

  /** The event that a message begins with, once. What the prompt took, no other vendor says before the end. */
  #start(): SseEvent[] {
    if (this.#hasBegun) return []
    this.#hasBegun = true
    return [event({ type: 'message_start', message: emptyMessage(this.#id, this.#facts) })]
  }

  #begin(open: OpenBlock, block: ContentBlock): SseEvent[] {
    const before = [...this.#start(), ...this.#close()]
    this.#open = open
    this.#index++
    return [...before, event({ type: 'content_block_start', index: this.#index, content_block: block })]
  }

  #close(): SseEvent[] {
    if (this.#open === null) return []
    const block =
      this.#open.kind === 'thinking' ? thinkingBlockOf('', this.#open.thought.providerMetadata) : undefined
    this.#open = null
    return [
      ...(block?.type === 'thinking'
        ? [this.#delta({ type: 'signature_delta', signature: block.signature })]
        : []),
      event({ type: 'content_block_stop', index: this.#index }),
    ]
  }

  #delta(delta: RawContentBlockDelta): SseEvent {
    return event({ type: 'content_block_delta', index: this.#index, delta })
  }
}
