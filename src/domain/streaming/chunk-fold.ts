import type { JsonObject } from '../../json/json-object.ts'
import { asRecord } from '../classify/json-shape.ts'
import type { AnswerFold, EventKind } from './answer-fold.ts'
import { type ChoiceContent, ChoiceFold } from './choice-fold.ts'
import { ChunkMembers } from './chunk-members.ts'
import { errorOfFinish, readEvent } from './read-event.ts'
import type { SseEvent } from './sse-event.ts'
import { withSpelledArguments } from './tool-calls-fold.ts'

/** Folds the chunks of chat or completions into one answer, as OpenAI writes them and those that copy it. */
export class ChunkFold implements AnswerFold {
  readonly #members: ChunkMembers
  readonly #contentOf: () => ChoiceContent
  readonly #choices = new Map<number, ChoiceFold>()
  #hasContent = false
  #isDone = false
  #error: JsonObject | null = null

  /** `object`: what a plain answer is called. `contentOf`: makes what holds the content of one choice. */
  constructor(object: string, contentOf: () => ChoiceContent) {
    this.#members = new ChunkMembers(object)
    this.#contentOf = contentOf
  }

  take(event: SseEvent): EventKind {
    if (event.data === '[DONE]') {
      this.#isDone = true
      return 'end'
    }
    const read = readEvent(event)
    if (read?.error !== undefined) return this.#fail(read.error)
    return read === null ? this.#kind() : this.#takeChunk(withSpelledArguments(read.body, event.data!))
  }

  answer(): Record<string, unknown> {
    const choices = [...this.#choices.entries()].toSorted(([a], [b]) => a - b)
    return this.#members.answer(choices.map(([, choice]) => choice.choice()))
  }

  text(): string {
    return JSON.stringify(this.answer())
  }

  isWhole(): boolean {
    return this.#isDone || this.#isFinished()
  }

  error(): unknown {
    return this.#error
  }

  #isFinished(): boolean {
    return this.#choices.size > 0 && [...this.#choices.values()].every(choice => choice.finish !== null)
  }

  #fail(error: JsonObject): EventKind {
    this.#error = error
    return 'error'
  }

  #kind(): EventKind {
    return this.#hasContent ? 'content' : 'preamble'
  }

  #takeChunk(chunk: JsonObject): EventKind {
    const tellsUsage = this.#members.take(chunk)
    const choices = Array.isArray(chunk.choices) ? chunk.choices.map(asRecord).filter(c => c !== null) : []
    const wasFinished = tellsUsage && this.#isFinished()
    const hadContent = this.#hasContent
    let saysNothing = true
    for (const choice of choices) {
      const index = typeof choice.index === 'number' ? choice.index : 0
      const fold = this.#choices.get(index) ?? new ChoiceFold(index, this.#contentOf())
      this.#choices.set(index, fold)
      if (fold.take(choice)) saysNothing = false
      const failure = hadContent ? errorOfFinish(choice.finish_reason) : null
      if (failure !== null) return this.#fail(failure)
    }
    if (!saysNothing) this.#hasContent = true
    // OpenRouter tells the usage beside an empty choice, after its finish.
    const isOnlyUsage = saysNothing && (wasFinished || (tellsUsage && choices.length === 0))
    return isOnlyUsage ? 'usage' : this.#kind()
  }
}
