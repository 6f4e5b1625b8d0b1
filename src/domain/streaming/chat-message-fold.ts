import type { JsonObject } from '../../json/json-object.ts'
import { asRecord, isFilledArray, isFilledText } from '../classify/json-shape.ts'
import { holdsAnswer } from '../classify/judge-answer.ts'
import { addParts, type Part } from './delta-parts.ts'
import { ToolCallsFold, textOf, wholeText } from './tool-calls-fold.ts'

/** Members that come in pieces of text; the last two are of compatible vendors. */
const texts: ReadonlySet<string> = new Set(['content', 'refusal', 'reasoning_content', 'reasoning'])
/** Members that come in pieces of lists. */
const lists: ReadonlySet<string> = new Set(['reasoning_details', 'images', 'annotations'])

/** Puts the deltas of a chat message together. */
export class ChatMessageFold {
  readonly #message: Record<string, unknown> = { role: 'assistant', content: null }
  readonly #toolCalls = new ToolCallsFold()
  readonly #audio: { readonly data: string[]; transcript: string; readonly more: Record<string, unknown> } = {
    data: [],
    transcript: '',
    more: {},
  }

  /** Returns whether it holds some of the answer: text, reasoning, a call. */
  take(delta: JsonObject): boolean {
    for (const name of Object.keys(delta)) this.#member(name, delta[name])
    return holdsAnswer(delta) || isFilledArray(delta.reasoning_details)
  }

  /** A message that came whole, as MiniMax repeats it in its last chunk. */
  replace(message: JsonObject): boolean {
    for (const [name, value] of Object.entries(message)) {
      if (value !== null && value !== undefined && value !== '') this.#message[name] = value
    }
    return holdsAnswer(message)
  }

  message(): Record<string, unknown> {
    const message = { ...this.#message }
    const calls = this.#toolCalls.calls()
    if (calls.length > 0) message.tool_calls = calls
    const { data, transcript, more } = this.#audio
    if (message.audio !== undefined) message.audio = { ...more, data: joinBase64(data), transcript }
    const call = asRecord(message.function_call)
    if (call !== null)
      message.function_call = { ...call, arguments: wholeText(textOf(call.arguments), 'arguments') }
    return message
  }

  #member(name: string, value: unknown): void {
    const before = this.#message[name]
    if (name === 'content' && (Array.isArray(value) || Array.isArray(before))) this.#parts(value)
    else if (texts.has(name) && typeof value === 'string')
      this.#message[name] = typeof before === 'string' ? before + value : value
    else if (name === 'tool_calls') this.#toolCalls.take(Array.isArray(value) ? value : [])
    else if (lists.has(name) && Array.isArray(value)) {
      const list = (before ?? []) as Part[]
      addParts(list, value)
      this.#message[name] = list
    } else if (name === 'function_call' && asRecord(value) !== null) this.#functionCall(asRecord(value)!)
    else if (name === 'audio' && asRecord(value) !== null) this.#takeAudio(asRecord(value)!)
    else if (value !== null && value !== undefined && value !== '') this.#message[name] = value
    // What a vendor names without filling it is null in its plain answers, too.
    else if (value === null && before === undefined) this.#message[name] = null
  }

  /** Mistral gives what a model thinks as parts, and the text after it as text or as parts. */
  #parts(value: unknown): void {
    const before = this.#message.content
    const parts = Array.isArray(before) ? (before as Part[]) : []
    if (isFilledText(before)) parts.push({ type: 'text', text: before })
    if (Array.isArray(value)) addParts(parts, value)
    else if (isFilledText(value)) addParts(parts, [{ type: 'text', text: value }])
    this.#message.content = parts
  }

  #functionCall({ name, arguments: piece }: JsonObject): void {
    const call = asRecord(this.#message.function_call)
    this.#message.function_call = {
      name: isFilledText(name) ? name : (call?.name ?? ''),
      arguments: textOf(call?.arguments) + textOf(piece),
    }
  }

  #takeAudio({ data, transcript, ...more }: JsonObject): void {
    if (isFilledText(data)) this.#audio.data.push(data)
    if (isFilledText(transcript)) this.#audio.transcript += transcript
    Object.assign(this.#audio.more, more)
    this.#message.audio = this.#audio
  }
}

/** Each piece is encoded by itself, and may be padded. */
const joinBase64 = (pieces: readonly string[]): string =>
  Buffer.concat(pieces.map(piece => Buffer.from(piece, 'base64'))).toString('base64')
