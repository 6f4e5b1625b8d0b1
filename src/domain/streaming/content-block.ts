import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import { JsonText } from '../../json/json-text.ts'
import { isFilledText } from '../classify/json-shape.ts'

/** Of blocks that begin empty: text and thinking. All others say something by being there. */
const texts: Readonly<Record<string, string>> = { text: 'text', thinking: 'thinking' }

/** The member that each delta adds to, and the type of a block that was not begun. */
const growth: Readonly<Record<string, { readonly field: string; readonly type: string }>> = {
  text_delta: { field: 'text', type: 'text' },
  thinking_delta: { field: 'thinking', type: 'thinking' },
  signature_delta: { field: 'signature', type: 'thinking' },
}

/** A block of a message's content while it grows: text, thinking, the use of a tool, a tool's result. */
export class ContentBlock {
  readonly #block: Record<string, unknown>
  /** The input of a tool, in pieces of JSON. */
  #json = ''
  readonly #begun: string

  /** `input`: the text of the block's input, where it has one from its beginning. */
  constructor(block: JsonObject, input = '') {
    this.#block = { ...block }
    this.#begun = input
  }

  saysSomething(): boolean {
    const { type } = this.#block
    const field = typeof type === 'string' ? texts[type] : undefined
    return field === undefined ? type !== undefined : isFilledText(this.#block[field])
  }

  /** Returns whether the delta says something. */
  grow(delta: JsonObject): boolean {
    if (delta.type === 'input_json_delta') return this.#growInput(delta.partial_json)
    if (delta.type === 'citations_delta') return this.#cite(delta.citation)
    const way = growth[String(delta.type)]
    if (way === undefined) return false
    const { field, type } = way
    const piece = delta[field]
    if (!isFilledText(piece)) return false
    const before = this.#block[field]
    this.#block.type ??= type
    this.#block[field] = isFilledText(before) ? before + piece : piece
    return true
  }

  block(): Record<string, unknown> {
    return this.#json === '' ? { ...this.#block } : { ...this.#block, input: inputOf(this.#json) ?? {} }
  }

  /** The block for `writeJson`: its input as it was written, to any depth. */
  asWritten(): Record<string, unknown> {
    const text = this.#json === '' ? this.#begun : this.#json
    if (text === '') return { ...this.#block }
    return { ...this.#block, input: inputOf(text) === null ? {} : new JsonText(text.trim()) }
  }

  #growInput(piece: unknown): boolean {
    if (!isFilledText(piece)) return false
    this.#json += piece
    return true
  }

  #cite(citation: unknown): boolean {
    const before = this.#block.citations
    this.#block.type ??= 'text'
    this.#block.citations = [...(Array.isArray(before) ? before : []), citation]
    return true
  }
}

/** Null for an input that was cut off (by `max_tokens`, or by a break): an empty one, as a tool without arguments has it. */
const inputOf = (text: string): JsonObject | null => {
  try {
    const input: unknown = JSON.parse(text)
    return isJsonObject(input) ? input : null
  } catch {
    return null
  }
}
