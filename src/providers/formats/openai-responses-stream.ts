import type { LanguageModelV4Reasoning, LanguageModelV4StreamPart } from '@ai-sdk/provider'
import type { ResponseOutputItem } from 'openai/resources/responses/responses'
import type { SseEvent } from '../../domain/streaming/sse-event.ts'
import { thinkingBlockOf } from './earlier-reasoning.ts'
import type { AnswerFacts, StreamEncoder } from './format-adapter.ts'
import {
  type Call,
  callItem,
  endingOf,
  messageItem,
  noPlaceForFiles,
  reasoningItem,
  responseOf,
  textPart,
} from './openai-responses-response.ts'
import { eventOf, type Part, type ReasoningPart, Thoughts } from './stream-parts.ts'

/** A call whose arguments are being written. */
interface OpenCall {
  readonly index: number
  readonly call: Call
  input: string
}

interface OpenText {
  readonly index: number
  text: string
}

/**
 * The events of a response. Each item names its place in the output, so that calls which a vendor writes at the same time may
 * grow side by side.
 */
export class ResponseEvents implements StreamEncoder {
  readonly #facts: AnswerFacts
  /** Of the next event. */
  #sequence = 0
  readonly #output: ResponseOutputItem[] = []
  #text: OpenText | null = null
  readonly #calls = new Map<string, OpenCall>()
  readonly #thoughts = new Thoughts()
  /** Where those stand that have not ended. */
  readonly #placed = new Map<LanguageModelV4Reasoning, number>()

  constructor(facts: AnswerFacts) {
    this.#facts = facts
  }

  take(part: LanguageModelV4StreamPart): SseEvent[] {
    switch (part.type) {
      case 'text-delta':
        return part.delta === '' ? [] : this.#growText(part.delta)
      case 'reasoning-start':
      case 'reasoning-delta':
      case 'reasoning-end':
        return this.#think(part)
      case 'tool-input-start':
        return this.#beginCall({ ...part, toolCallId: part.id, input: '' })
      case 'tool-input-delta':
        return this.#growCall(part.id, part.delta)
      case 'tool-call':
        return this.#endCall(part)
      case 'finish':
        return this.#finish(part)
      case 'file':
        throw noPlaceForFiles()
      default:
        return []
    }
  }

  #event(type: string, members: object): SseEvent {
    return eventOf({ type, ...members, sequence_number: this.#sequence++ }, type)
  }

  #begin(): SseEvent[] {
    if (this.#sequence > 0) return []
    const response = responseOf(this.#facts, 'in_progress', [])
    return [this.#event('response.created', { response }), this.#event('response.in_progress', { response })]
  }

  /** Gives the item its place in the output. */
  #add(item: ResponseOutputItem): SseEvent[] {
    const begun = this.#begin()
    this.#output.push(item)
    return [
      ...begun,
      this.#event('response.output_item.added', { output_index: this.#output.length - 1, item }),
    ]
  }

  #end(index: number, item: ResponseOutputItem): SseEvent {
    this.#output[index] = item
    return this.#event('response.output_item.done', { output_index: index, item })
  }

  /** The item at that place, and its only part, as events name them. */
  #at(index: number, part?: 'content_index' | 'summary_index') {
    const { id } = this.#output[index]!
    return { item_id: id, output_index: index, ...(part !== undefined && { [part]: 0 }) }
  }

  #growText(delta: string): SseEvent[] {
    const begun = this.#text === null ? this.#beginText() : []
    const open = this.#text!
    open.text += delta
    const at = this.#at(open.index, 'content_index')
    return [...begun, this.#event('response.output_text.delta', { ...at, delta, logprobs: [] })]
  }

  #beginText(): SseEvent[] {
    const index = this.#output.length
    const added = this.#add(messageItem(this.#facts, index, 'in_progress', null))
    this.#text = { index, text: '' }
    const at = this.#at(index, 'content_index')
    return [...added, this.#event('response.content_part.added', { ...at, part: textPart('') })]
  }

  #endText(status: 'completed' | 'incomplete' = 'completed'): SseEvent[] {
    if (this.#text === null) return []
    const { index, text } = this.#text
    this.#text = null
    const at = this.#at(index, 'content_index')
    return [
      this.#event('response.output_text.done', { ...at, text, logprobs: [] }),
      this.#event('response.content_part.done', { ...at, part: textPart(text) }),
      this.#end(index, messageItem(this.#facts, index, status, text)),
    ]
  }

  /** It has its place from its beginning, and is shown from its first words on. */
  #think(part: ReasoningPart): SseEvent[] {
    const thought = this.#thoughts.take(part)
    if (part.type === 'reasoning-end') return this.#endThought(thought)
    if (part.type !== 'reasoning-delta' || part.delta === '') return []
    const begun = this.#placed.has(thought) ? [] : this.#beginThought(thought)
    const at = this.#at(this.#placed.get(thought)!, 'summary_index')
    return [...begun, this.#event('response.reasoning_summary_text.delta', { ...at, delta: part.delta })]
  }

  #beginThought(thought: LanguageModelV4Reasoning): SseEvent[] {
    const index = this.#output.length
    const ended = this.#endText()
    this.#placed.set(thought, index)
    const empty = reasoningItem(this.#facts, index, thinkingBlockOf('', undefined))
    const added = this.#add(empty)
    const at = this.#at(index, 'summary_index')
    const part = { type: 'summary_text', text: '' }
    return [...ended, ...added, this.#event('response.reasoning_summary_part.added', { ...at, part })]
  }

  #endThought(thought: LanguageModelV4Reasoning): SseEvent[] {
    const { text, providerMetadata } = thought
    const block = thinkingBlockOf(text, providerMetadata)
    const placed = this.#placed.get(thought)
    if (placed === undefined) return this.#wholeThought(block)
    this.#placed.delete(thought)
    const at = this.#at(placed, 'summary_index')
    return [
      this.#event('response.reasoning_summary_text.done', { ...at, text }),
      this.#event('response.reasoning_summary_part.done', { ...at, part: { type: 'summary_text', text } }),
      this.#end(placed, reasoningItem(this.#facts, placed, block)),
    ]
  }

  /** Reasoning without a word, which has come with its signature only. */
  #wholeThought(block: ReturnType<typeof thinkingBlockOf>): SseEvent[] {
    const ended = this.#endText()
    const index = this.#output.length
    const item = reasoningItem(this.#facts, index, block)
    return [...ended, ...this.#add(item), this.#end(index, item)]
  }

  #beginCall(call: Call): SseEvent[] {
    const ended = this.#endText()
    const index = this.#output.length
    this.#calls.set(call.toolCallId, { index, call, input: '' })
    return [...ended, ...this.#add(callItem(this.#facts, index, { ...call, input: '' }, 'in_progress'))]
  }

  #growCall(id: string, delta: string): SseEvent[] {
    const open = this.#calls.get(id)
    if (open === undefined || delta === '') return []
    open.input += delta
    const at = this.#at(open.index)
    return [this.#event('response.function_call_arguments.delta', { ...at, delta })]
  }

  /** The call as a whole, of which most or all has come in pieces, or nothing yet. */
  #endCall(part: Part<'tool-call'>): SseEvent[] {
    const id = part.toolCallId
    const begun = this.#calls.has(id) ? [] : this.#beginCall(part)
    const open = this.#calls.get(id)!
    const rest = open.input === '' ? this.#growCall(id, part.input || '{}') : []
    const { index, call, input } = open
    this.#calls.delete(id)
    const providerMetadata = part.providerMetadata ?? call.providerMetadata
    const item = callItem(this.#facts, index, {
      ...call,
      ...(providerMetadata !== undefined && { providerMetadata }),
      input,
    })
    const done = { ...this.#at(index), name: item.name, arguments: input }
    return [
      ...begun,
      ...rest,
      this.#event('response.function_call_arguments.done', done),
      this.#end(index, item),
    ]
  }

  #finish(part: Part<'finish'>): SseEvent[] {
    const ending = endingOf(this.#facts, part)
    const begun = this.#begin()
    const cut = [...this.#calls.values()].flatMap(({ call, input }) =>
      this.#endCall({ ...call, type: 'tool-call', input }),
    )
    const thoughts = [...this.#placed.keys()].flatMap(thought => this.#endThought(thought))
    const ended = [...thoughts, ...cut, ...this.#endText(ending.status)]
    const response = { ...responseOf(this.#facts, ending.status, this.#output), ...ending }
    return [...begun, ...ended, this.#event(`response.${ending.status}`, { response })]
  }
}
