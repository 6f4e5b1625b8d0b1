import { readEventStream } from '../domain/classify/event-stream.ts'
import { SseSplitter } from '../domain/streaming/sse-splitter.ts'
import type { UpstreamAnswer, UpstreamBreak, UpstreamOutcome } from '../domain/upstream.ts'
import type { BodyReader } from './body-reader.ts'
import { StreamedAnswer, type StreamedAnswerOptions } from './streamed-answer.ts'

const isEventStream = (headers: Readonly<Record<string, string>>): boolean =>
  /^\s*text\/event-stream\b/i.test(headers['content-type'] ?? '') &&
  /^\s*(?:identity)?\s*$/i.test(headers['content-encoding'] ?? '')

/** Reads the body of a streamed answer that comes in the format of its endpoint. */
export class StreamReader implements BodyReader {
  readonly #options: StreamedAnswerOptions
  readonly #answer: StreamedAnswer
  readonly #splitter = new SseSplitter()
  readonly #decoder = new TextDecoder()

  constructor(options: StreamedAnswerOptions) {
    this.#options = options
    this.#answer = new StreamedAnswer(options)
  }

  begin(status: number, headers: Readonly<Record<string, string>>): boolean {
    this.#answer.begin(status, headers)
    const isStream = status < 300 && isEventStream(headers)
    // What is no stream comes whole, and has the time of a whole answer.
    if (!isStream) this.#options.watch.stop()
    return isStream
  }

  take(chunk: Buffer): UpstreamOutcome | null {
    return this.#answer.take(this.#splitter.push(this.#decoder.decode(chunk, { stream: true })))
  }

  end(): UpstreamOutcome {
    const rest = [...this.#splitter.push(this.#decoder.decode()), ...this.#splitter.end()]
    return this.#answer.take(rest) ?? this.#answer.end()
  }

  tooLarge(): UpstreamOutcome | null {
    return this.#answer.tooLarge()
  }

  broken(broken: UpstreamBreak): UpstreamBreak {
    return this.#answer.broken(broken)
  }

  /** Events that came under another name, or were compressed, are read here in one piece. */
  whole(answer: UpstreamAnswer): UpstreamOutcome {
    const isStream = answer.status < 300 && answer.json === undefined && readEventStream(answer.text) !== null
    if (!isStream) return answer
    return this.#answer.take(this.#splitter.push(answer.text)) ?? this.end()
  }
}
