import type { LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { doneText, type SseEvent } from '../../domain/streaming/sse-event.ts'
import type { AnswerFacts, StreamEncoder } from './format-adapter.ts'
import { finishOf, noPlaceForFiles, reasoningOf, signatureOf, usageOf } from './openai-chat-response.ts'
import { eventOf, type Part, Thoughts } from './stream-parts.ts'

const doneEvent: SseEvent = { raw: doneText, name: null, data: '[DONE]' }

/** A tool call that has begun. */
interface BegunCall {
  readonly index: number
  hasArguments: boolean
  isSigned: boolean
}

/**
 * The chunks of a chat completion. The first, which has the role, comes with the first part that says something: it has a
 * `content` of null where that is no text, as OpenAI's own has.
 */
export class ChatEvents implements StreamEncoder {
  readonly #facts: AnswerFacts
  #id: string
  #hasBegun = false
  #hasText = false
  readonly #calls = new Map<string, BegunCall>()
  #callCount = 0
  readonly #thoughts = new Thoughts()

  constructor(facts: AnswerFacts) {
    this.#facts = facts
    this.#id = `chatcmpl-${facts.id}`
  }

  take(part: LanguageModelV4StreamPart): SseEvent[] {
    switch (part.type) {
      case 'response-metadata':
        this.#id = part.id ?? this.#id
        return []
      case 'text-delta':
        return part.delta === '' ? [] : this.#text(part.delta)
      case 'reasoning-start':
      case 'reasoning-delta':
      case 'reasoning-end':
        this.#thoughts.take(part)
        return part.type === 'reasoning-delta' && part.delta !== ''
          ? this.#deltas({ reasoning_content: part.delta })
          : []
      case 'tool-input-start':
        return this.#call(part.id, part)
      case 'tool-input-delta':
        return this.#arguments(part.id, part.delta)
      case 'tool-call':
        return this.#wholeCall(part)
      case 'finish':
        return this.#finish(part)
      case 'file':
        throw noPlaceForFiles()
      default:
        return []
    }
  }

  #text(content: string): SseEvent[] {
    const begun = this.#begin('')
    this.#hasText = true
    return [...begun, this.#delta({ content })]
  }

  #call(id: string, part: Part<'tool-input-start' | 'tool-call'>): SseEvent[] {
    const signature = signatureOf(part)
    const call = { index: this.#callCount++, hasArguments: false, isSigned: 'extra_content' in signature }
    this.#calls.set(id, call)
    const name = this.#facts.toolNames.original(part.toolName)
    const begun = { index: call.index, id, type: 'function', function: { name, arguments: '' }, ...signature }
    return this.#deltas({ tool_calls: [begun] })
  }

  #arguments(id: string, text: string): SseEvent[] {
    const call = this.#calls.get(id)
    if (call === undefined || text === '') return []
    call.hasArguments = true
    return this.#deltas({ tool_calls: [{ index: call.index, function: { arguments: text } }] })
  }

  /** The call as a whole, of which most or all has come in pieces, or nothing yet. */
  #wholeCall(part: Part<'tool-call'>): SseEvent[] {
    const id = part.toolCallId
    const begun = this.#calls.has(id) ? [] : this.#call(id, part)
    const call = this.#calls.get(id)!
    const signature = call.isSigned ? {} : signatureOf(part)
    const signed =
      'extra_content' in signature ? this.#deltas({ tool_calls: [{ index: call.index, ...signature }] }) : []
    return [...begun, ...(call.hasArguments ? [] : this.#arguments(id, part.input || '{}')), ...signed]
  }

  #finish({ finishReason, usage }: Part<'finish'>): SseEvent[] {
    const { thinking_blocks: blocks } = reasoningOf(this.#thoughts.all)
    const saysNothing = this.#hasBegun && !this.#hasText && this.#callCount === 0
    return [
      ...this.#begin(''),
      ...(blocks ? [this.#delta({ thinking_blocks: blocks })] : []),
      ...(saysNothing ? [this.#delta({ content: '' })] : []),
      this.#chunk([{ index: 0, delta: {}, logprobs: null, finish_reason: finishOf(finishReason) }]),
      this.#chunk([], { usage: usageOf(usage) }),
      doneEvent,
    ]
  }

  /** The chunk with the role, once. */
  #begin(content: '' | null): SseEvent[] {
    if (this.#hasBegun) return []
    this.#hasBegun = true
    return [this.#delta({ role: 'assistant', content, refusal: null })]
  }

  #deltas(delta: object): SseEvent[] {
    return [...this.#begin(null), this.#delta(delta)]
  }

  #delta(delta: object): SseEvent {
    return this.#chunk([{ index: 0, delta, logprobs: null, finish_reason: null }])
  }

  #chunk(choices: readonly object[], more: object = {}): SseEvent {
    const { created, model } = this.#facts
    return eventOf({ id: this.#id, object: 'chat.completion.chunk', created, model, choices, ...more })
  }
}
