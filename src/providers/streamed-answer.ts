import { statusOfError } from '../domain/classify/event-error.ts'
import type { AnswerFold, StreamedEndpoint } from '../domain/streaming/answer-fold.ts'
import { createAnswerFold } from '../domain/streaming/create-answer-fold.ts'
import { doneText, eventText, type SseEvent } from '../domain/streaming/sse-event.ts'
import type { StreamSink } from '../domain/streaming/stream-sink.ts'
import type { UpstreamAnswer, UpstreamBreak, UpstreamOutcome } from '../domain/upstream.ts'
import { writeShallow } from '../json/json-text.ts'
import type { StallWatch } from './stall-watch.ts'

/** The event that ends a stream, for clients that wait for it where the provider leaves it out. */
const endText: Readonly<Record<StreamedEndpoint, string>> = {
  '/v1/chat/completions': doneText,
  '/v1/completions': doneText,
  '/v1/messages': eventText({ type: 'message_stop' }, 'message_stop'),
  // Its last event is the answer itself.
  '/v1/responses': '',
}

/** An error that a stream told. */
export interface ToldError {
  /** As the provider would give it without streaming. */
  readonly body: unknown
  /** Where the provider names its errors beside the body, as headers of such an answer. */
  readonly headers?: Readonly<Record<string, string>>
  /** Absent where the body tells it. */
  readonly status?: number
}

export interface StreamedAnswerOptions {
  readonly endpoint: StreamedEndpoint
  readonly sink: StreamSink
  /** False: events that tell nothing but the usage are not passed on. */
  readonly showsUsage: boolean
  readonly watch: StallWatch
}

/**
 * One answer in events of its endpoint's format: passes them on, and puts them together to the outcome of the call.
 *
 * holding → flowing (from the first content on) → over. What is held until then is passed on with that content, or not at all: an
 * answer without content, or one that fails before, is judged like any other, and may be handed over.
 */
export class StreamedAnswer {
  readonly #options: StreamedAnswerOptions
  readonly #fold: AnswerFold
  /** Texts of events that are to be passed on. */
  #held: string[] = []
  #isFlowing = false
  #hasEvents = false
  #status = 0
  #headers: Readonly<Record<string, string>> = {}

  constructor(options: StreamedAnswerOptions) {
    this.#options = options
    this.#fold = createAnswerFold(options.endpoint)
  }

  /** Whether the client has seen any of it. */
  get isFlowing(): boolean {
    return this.#isFlowing
  }

  /** What its headers say. */
  begin(status: number, headers: Readonly<Record<string, string>>): void {
    this.#status = status
    this.#headers = headers
  }

  /** Takes the next events; the outcome, once one of them ends the stream. */
  take(events: readonly SseEvent[]): UpstreamOutcome | null {
    try {
      return this.#take(events)
    } catch (error) {
      return this.#tooDeep(error)
    }
  }

  #take(events: readonly SseEvent[]): UpstreamOutcome | null {
    const { watch, showsUsage } = this.#options
    let isAlive = false
    for (const event of events) {
      const kind = this.#fold.take(event)
      // A gateway's comments keep a connection open whatever the model does.
      if (event.data !== null) {
        isAlive = true
        this.#hasEvents = true
      }
      if (kind === 'error') {
        this.#flush()
        return this.failed({ body: this.#fold.error() })
      }
      if (kind === 'content') this.#isFlowing = true
      if (kind !== 'usage' || showsUsage) this.#held.push(event.raw)
      if (kind === 'end') {
        if (isAlive) watch.heard(this.#isFlowing)
        this.#flush()
        return this.#whole()
      }
    }
    if (isAlive) watch.heard(this.#isFlowing)
    this.#flush()
    return null
  }

  /** What a body comes to that has ended. */
  end(): UpstreamOutcome {
    if (!this.#hasEvents) return this.#answer(this.#status, '', undefined)
    if (!this.#fold.isWhole()) return this.cutShort('the stream ended before its answer did')
    const { sink, endpoint } = this.#options
    if (this.#isFlowing && endText[endpoint] !== '') sink.write(endText[endpoint])
    return this.#whole()
  }

  /** What a body comes to that is too large; null where it is as that of any other call. */
  tooLarge(): UpstreamOutcome | null {
    return this.#isFlowing ? this.cutShort('the stream is larger than an answer may be') : null
  }

  /** The break, with what is known of the answer so far. */
  broken(broken: UpstreamBreak): UpstreamBreak {
    if (this.#status === 0) return broken
    const { firstTokenMs } = this.#options.watch.seen
    return {
      ...broken,
      headers: this.#headers,
      ...(this.#isFlowing && { partial: this.#fold.answer() }),
      ...(firstTokenMs !== null && { firstTokenMs }),
    }
  }

  /** One write for all that came in one turn. */
  #flush(): void {
    if (!this.#isFlowing || this.#held.length === 0) return
    this.#options.sink.write(this.#held.length === 1 ? this.#held[0]! : this.#held.join(''))
    this.#held = []
  }

  #whole(): UpstreamOutcome {
    try {
      return this.#answer(this.#status, this.#fold.text(), this.#fold.answer())
    } catch (error) {
      return this.#tooDeep(error)
    }
  }

  /** What cannot be put together is no answer that could be kept. Throws all but a stack that was not enough. */
  #tooDeep(error: unknown): UpstreamBreak {
    if (!(error instanceof RangeError)) throw error
    const cause = new Error('the answer is nested too deeply')
    return this.broken({ kind: 'break', reason: 'protocol', sent: true, cause })
  }

  /** What an error comes to that the stream told. */
  failed({ body: error, headers, status = statusOfError(error) }: ToldError): UpstreamOutcome {
    if (!this.#isFlowing) {
      const answer = this.#answer(status, writeShallow(error), error)
      return headers === undefined ? answer : { ...answer, headers: { ...answer.headers, ...headers } }
    }
    const cause = new Error('the stream told an error')
    return this.broken({ kind: 'break', reason: 'error_event', sent: true, cause, error })
  }

  /** What a stream comes to that ended before its answer did. */
  cutShort(why: string): UpstreamOutcome {
    return this.broken({ kind: 'break', reason: 'cut_short', sent: true, cause: new Error(why) })
  }

  #answer(status: number, text: string, json: unknown): UpstreamAnswer {
    const { firstTokenMs } = this.#options.watch.seen
    const answer = { kind: 'answer' as const, status, headers: this.#headers, text, json }
    return firstTokenMs === null ? answer : { ...answer, firstTokenMs }
  }
}
