import type { JsonObject } from '../../json/json-object.ts'
import { writeJson } from '../../json/json-text.ts'
import { memberText } from '../../json/members.ts'
import { asRecord } from '../classify/json-shape.ts'
import type { AnswerFold, EventKind } from './answer-fold.ts'
import { ContentBlock } from './content-block.ts'
import { errorOfFinish, readEvent } from './read-event.ts'
import type { SseEvent } from './sse-event.ts'

/** Folds the events of Anthropic's Messages into a message. */
export class MessageFold implements AnswerFold {
  readonly #message: Record<string, unknown> = {}
  readonly #blocks = new Map<number, ContentBlock>()
  #usage: JsonObject | null = null
  #hasContent = false
  #isStopped = false
  #error: JsonObject | null = null

  take(event: SseEvent): EventKind {
    const read = readEvent(event)
    if (read?.error !== undefined) return this.#fail(read.error)
    return read === null ? this.#kind(false) : this.#takeBody(read.body, event)
  }

  answer(): Record<string, unknown> {
    return this.#with(block => block.block())
  }

  text(): string {
    return writeJson(this.#with(block => block.asWritten()))
  }

  isWhole(): boolean {
    return this.#isStopped || typeof this.#message.stop_reason === 'string'
  }

  error(): unknown {
    return this.#error
  }

  #with(shown: (block: ContentBlock) => JsonObject): Record<string, unknown> {
    const { id, type = 'message', role = 'assistant', model, ...more } = this.#message
    const blocks = [...this.#blocks.entries()].toSorted(([a], [b]) => a - b)
    const content = blocks.map(([, block]) => shown(block))
    return { id, type, role, model, content, ...more, ...(this.#usage && { usage: this.#usage }) }
  }

  #fail(error: JsonObject): EventKind {
    this.#error = error
    return 'error'
  }

  #kind(saysSomething: boolean): EventKind {
    if (saysSomething) this.#hasContent = true
    return this.#hasContent ? 'content' : 'preamble'
  }

  #takeBody(body: JsonObject, { name, data }: SseEvent): EventKind {
    switch (body.type ?? name) {
      case 'message_start':
        return this.#kind(this.#start(asRecord(body.message) ?? {}))
      case 'content_block_start':
        return this.#kind(this.#begin(indexOf(body), asRecord(body.content_block) ?? {}, data))
      case 'content_block_delta':
        return this.#kind(this.#blockAt(indexOf(body)).grow(asRecord(body.delta) ?? {}))
      case 'message_delta':
        return this.#finish(body)
      case 'message_stop':
        this.#isStopped = true
        return 'end'
      default:
        return this.#kind(false)
    }
  }

  #start({ content, usage, ...message }: JsonObject): boolean {
    Object.assign(this.#message, message)
    this.#addUsage(usage)
    const blocks = Array.isArray(content) ? content.map(asRecord).filter(block => block !== null) : []
    return blocks.map((block, index) => this.#begin(index, block)).some(Boolean)
  }

  #begin(index: number, content: JsonObject, data: string | null = null): boolean {
    const block = new ContentBlock(content, data === null ? '' : inputIn(content, data))
    this.#blocks.set(index, block)
    return block.saysSomething()
  }

  /** Some servers begin no blocks. */
  #blockAt(index: number): ContentBlock {
    const block = this.#blocks.get(index) ?? new ContentBlock({})
    this.#blocks.set(index, block)
    return block
  }

  /** `delta` has members of the message (its end, the container); others stand beside it. */
  #finish({ type: _, delta, usage, ...more }: JsonObject): EventKind {
    const members = asRecord(delta) ?? {}
    for (const [name, value] of Object.entries({ ...more, ...members })) {
      if (value !== undefined && (value !== null || this.#message[name] === undefined))
        this.#message[name] = value
    }
    this.#addUsage(usage)
    const failure = this.#hasContent ? errorOfFinish(members.stop_reason) : null
    return failure === null ? this.#kind(false) : this.#fail(failure)
  }

  /** Its counts are of the whole message so far; those that do not apply are left out, or null. */
  #addUsage(usage: unknown): void {
    const told = Object.entries(asRecord(usage) ?? {})
    if (told.length === 0) return
    const known = this.#usage ?? {}
    const news = told.filter(([name, value]) => value !== null || known[name] === undefined)
    this.#usage = { ...known, ...Object.fromEntries(news) }
  }
}

/** The text of an input that comes whole, as some servers give it; the empty one of a block that begins is none. */
const inputIn = ({ input }: JsonObject, data: string): string => {
  const given = asRecord(input)
  if (given === null || Object.keys(given).length === 0) return ''
  const block = memberText(data, 'content_block')
  return (block && memberText(block.text, 'input')?.text) ?? ''
}

const indexOf = ({ index }: JsonObject): number => (typeof index === 'number' ? index : 0)
