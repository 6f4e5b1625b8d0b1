import type { JsonObject } from '../../json/json-object.ts'
import { memberText } from '../../json/members.ts'
import { asRecord, isFilledArray } from '../classify/json-shape.ts'
import type { AnswerFold, EventKind } from './answer-fold.ts'
import { readEvent } from './read-event.ts'
import { ResponseItems } from './response-items.ts'
import type { SseEvent } from './sse-event.ts'

/** Folds the events of OpenAI's Responses into a response. The last event has all of it, and is taken for it. */
export class ResponseFold implements AnswerFold {
  readonly #items = new ResponseItems()
  #response: JsonObject = { object: 'response', status: 'in_progress' }
  #hasContent = false
  #isWhole = false
  #error: JsonObject | null = null
  /** The last event's data, which holds all of the response; null before it. */
  #last: string | null = null

  take(event: SseEvent): EventKind {
    // Some compatible servers add it; it says nothing that the last event has not said.
    if (event.data === '[DONE]') return this.#isWhole ? 'end' : this.#kind(false)
    const read = readEvent(event)
    if (read?.error !== undefined) return this.#fail(read.error)
    return read === null ? this.#kind(false) : this.#takeBody(read.body, event)
  }

  answer(): Record<string, unknown> {
    const { output } = this.#response
    const items = this.#items.items()
    // Some compatible servers leave the output out of the last event.
    return { ...this.#response, output: isFilledArray(output) || items.length === 0 ? (output ?? []) : items }
  }

  text(): string {
    const isAll = this.#last !== null && isFilledArray(this.#response.output)
    const written = isAll ? memberText(this.#last!, 'response')?.text : undefined
    return written ?? JSON.stringify(this.answer())
  }

  isWhole(): boolean {
    return this.#isWhole
  }

  error(): unknown {
    return this.#error
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
    const type = typeof body.type === 'string' ? body.type : (name ?? '')
    const response = asRecord(body.response)
    if (response !== null) this.#response = response
    switch (type) {
      case 'response.completed':
      case 'response.incomplete':
        this.#isWhole = true
        if (response !== null) this.#last = data
        return 'end'
      // A plain answer fails as a 200 with this body.
      case 'response.failed':
      case 'response.cancelled':
        return this.#fail(this.answer())
      default:
        return this.#kind(this.#items.take(type, body))
    }
  }
}
