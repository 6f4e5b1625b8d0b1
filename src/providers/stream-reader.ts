import { statusOfError } from '../domain/classify/event-error.ts'
import { readEventStream } from '../domain/classify/event-stream.ts'
import type { AnswerFold, StreamedEndpoint } from '../domain/streaming/answer-fold.ts'
import { createAnswerFold } from '../domain/streaming/create-answer-fold.ts'
import { doneText, eventText, type SseEvent } from '../domain/streaming/sse-event.ts'
import { SseSplitter } from '../domain/streaming/sse-splitter.ts'
import type { StreamSink } from '../domain/streaming/stream-sink.ts'
import type { UpstreamAnswer, UpstreamBreak, UpstreamOutcome } from '../domain/upstream.ts'
import type { BodyReader } from './body-reader.ts'
import type { StallWatch } from './stall-watch.ts'

/** The event that ends a stream, for clients that wait for it where the provider leaves it out. */
const endText: Readonly<Record<StreamedEndpoint, string>> = {
  '/v1/chat/completions': doneText,
  '/v1/completions': doneText,
  '/v1/messages': eventText({ type: 'message_stop' }, 'message_stop'),
  // Its last event is the answer itself.
  '/v1/responses': '',
}

export interface StreamReaderOptions {
  readonly endpoint: StreamedEndpoint
  readonly sink: StreamSink
  /** False: events that tell nothing but the usage are not passed on. */
  readonly showsUsage: boolean
  readonly watch: StallWatch
}

const isEventStream = (headers: Readonly<Record<string, string>>): boolean =>
  /^\s*text\/event-stream\b/i.test(headers['content-type'] ?? '') &&
  /^\s*(?:identity)?\s*$/i.test(headers['content-encoding'] ?? '')

/**
 * Reads one streamed answer in the format of its endpoint: passes its events on, and puts them together to the outcome of the call.
 *
 * holding → flowing (from the first content on) → over. What is held until then is passed on with that content, or not at all: an
 * answer without content, or one that fails before, is judged like any other, and may be handed over.
 */
export class StreamReader implements BodyReader {
  readonly #options: StreamReaderOptions
  readonly #fold: AnswerFold
  readonly #splitter = new SseSplitter()
  readonly #decoder = new TextDecoder()
  /** Texts of events that are to be passed on. */
  #held: string[] = []
  #isFlowing = false
  #hasEvents = false
  #status = 0
  #headers: Readonly<Record<string, string>> = {}

  constructor(options: StreamReaderOptions) {
    this.#options = options
    this.#fold = createAnswerFold(options.endpoint)
  }

  begin(status: number, headers: Readonly<Record<string, string>>): boolean {
    this.#status = status
    this.#headers = headers
    const isStream = status < 300 && isEventStream(headers)
    // What is no stream comes whole, and has the time of a whole answer.
    if (!isStream) this.#options.watch.stop()
    return isStream
  }

  take(chunk: Buffer): UpstreamOutcome | null {
    return this.#read(this.#splitter.push(this.#decoder.decode(chunk, { stream: true })))
  }

  end(): UpstreamOutcome {
    const rest = [...this.#splitter.push(this.#decoder.decode()), ...this.#splitter.end()]
    const outcome = this.#read(rest)
    if (outcome !== null) return outcome
    if (!this.#hasEvents) return this.#answer(this.#status, '', undefined)
    if (!this.#fold.isWhole()) return this.#cutShort('the stream ended before its answer did')
    const { sink, endpoint } = this.#options
    if (this.#isFlowing && endText[endpoint] !== '') sink.write(endText[endpoint])
    return this.#whole()
  }

  tooLarge(): UpstreamOutcome | null {
    return this.#isFlowing ? this.#cutShort('the stream is larger than an answer may be') : null
  }

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

  /** Events that came under another name, or were compressed, are read here in one piece. */
  whole(answer: UpstreamAnswer): UpstreamOutcome {
    const isStream = answer.status < 300 && answer.json === undefined && readEventStream(answer.text) !== null
    if (!isStream) return answer
    return this.#read(this.#splitter.push(answer.text)) ?? this.end()
  }

  /** The outcome, once an event ends the stream. */
  #read(events: readonly SseEvent[]): UpstreamOutcome | null {
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
        return this.#failed()
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

  /** One write for all that came in one turn. */
  #flush(): void {
    if (!this.#isFlowing || this.#held.length === 0) return
    this.#options.sink.write(this.#held.length === 1 ? this.#held[0]! : this.#held.join(''))
    this.#held = []
  }

  #whole(): UpstreamOutcome {
    const json = this.#fold.answer()
    return this.#answer(this.#status, JSON.stringify(json), json)
  }

  #failed(): UpstreamOutcome {
    const error = this.#fold.error()
    if (!this.#isFlowing) return this.#answer(statusOfError(error), JSON.stringify(error), error)
    const cause = new Error('the stream told an error')
    return this.broken({ kind: 'break', reason: 'error_event', sent: true, cause, error })
  }

  #cutShort(why: string): UpstreamOutcome {
    return this.broken({ kind: 'break', reason: 'cut_short', sent: true, cause: new Error(why) })
  }

  #answer(status: number, text: string, json: unknown): UpstreamAnswer {
    const { firstTokenMs } = this.#options.watch.seen
    const answer = { kind: 'answer' as const, status, headers: this.#headers, text, json }
    return firstTokenMs === null ? answer : { ...answer, firstTokenMs }
  }
}
