import type { JsonObject } from '../../json/json-object.ts'
import { asRecord, isFilledText } from '../classify/json-shape.ts'
import { ChatMessageFold } from './chat-message-fold.ts'

/** What the two formats do not share of a choice. */
export interface ChoiceContent {
  /** Takes a choice of a chunk; returns whether it holds some of the answer. */
  take(choice: JsonObject): boolean
  /** The members of the choice that hold the content. */
  members(): JsonObject
}

/** Members that are read one by one; all others are a vendor's own. */
const known = new Set(['index', 'delta', 'message', 'text', 'finish_reason', 'logprobs', 'usage'])

/** One of the answers of a stream of chunks. */
export class ChoiceFold {
  readonly #index: number
  readonly #content: ChoiceContent
  readonly #more: Record<string, unknown> = {}
  #logprobs: Record<string, unknown> | null = null
  /** The provider's own word; null before it. */
  finish: string | null = null

  constructor(index: number, content: ChoiceContent) {
    this.#index = index
    this.#content = content
  }

  /** Returns whether it holds some of the answer. */
  take(choice: JsonObject): boolean {
    const { finish_reason, logprobs } = choice
    if (isFilledText(finish_reason)) this.finish = finish_reason
    this.#takeLogprobs(asRecord(logprobs))
    for (const name of Object.keys(choice)) {
      if (!known.has(name) && choice[name] !== null) this.#more[name] = choice[name]
    }
    return this.#content.take(choice)
  }

  choice(): Record<string, unknown> {
    return {
      index: this.#index,
      ...this.#content.members(),
      logprobs: this.#logprobs,
      finish_reason: this.finish,
      ...this.#more,
    }
  }

  #takeLogprobs(logprobs: JsonObject | null): void {
    if (logprobs === null) return
    this.#logprobs ??= {}
    for (const [name, value] of Object.entries(logprobs)) {
      const before = this.#logprobs[name]
      if (Array.isArray(value) && Array.isArray(before)) before.push(...value)
      else if (before === undefined || before === null)
        this.#logprobs[name] = Array.isArray(value) ? [...value] : value
    }
  }
}

export class ChatContent implements ChoiceContent {
  readonly #message = new ChatMessageFold()

  take({ delta, message }: JsonObject): boolean {
    const isDelta = this.#message.take(asRecord(delta) ?? {})
    const whole = asRecord(message)
    return (whole !== null && this.#message.replace(whole)) || isDelta
  }

  members(): JsonObject {
    return { message: this.#message.message() }
  }
}

export class CompletionContent implements ChoiceContent {
  #text = ''

  take({ text }: JsonObject): boolean {
    if (!isFilledText(text)) return false
    this.#text += text
    return true
  }

  members(): JsonObject {
    return { text: this.#text }
  }
}
