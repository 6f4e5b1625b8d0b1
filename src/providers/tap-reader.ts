import { readEventStream } from '../domain/classify/event-stream.ts'
import type { UpstreamDialect } from '../domain/endpoint.ts'
import type { UpstreamAnswer, UpstreamBreak, UpstreamOutcome } from '../domain/upstream.ts'
import type { BodyReader } from './body-reader.ts'
import type { Seals } from './seals.ts'
import type { StallWatch } from './stall-watch.ts'
import { createStreamTap, type StreamTap } from './stream-tap.ts'
import type { StreamedAnswer } from './streamed-answer.ts'

export interface TapReaderOptions {
  readonly dialect: UpstreamDialect
  readonly seals: Seals
  readonly watch: StallWatch
  /** What the SDK's parts are put together to. */
  readonly answer: StreamedAnswer
  /** Gets the answer for the SDK, once it has begun as a stream. */
  opened(response: Response): void
}

const isStream = (headers: Readonly<Record<string, string>>): boolean =>
  /^\s*(?:text\/event-stream|application\/vnd\.amazon\.eventstream)\b/i.test(headers['content-type'] ?? '') &&
  /^\s*(?:identity)?\s*$/i.test(headers['content-encoding'] ?? '')

/**
 * Reads the body of a streamed answer for the SDK. What the call comes to is told by what the SDK makes of it: a body that was given
 * away comes to an answer without text, which only says that it has ended.
 */
export class TapReader implements BodyReader {
  readonly #options: TapReaderOptions
  /** Null where the answer is none that streams. */
  tap: StreamTap | null = null
  status = 0
  headers: Readonly<Record<string, string>> = {}

  constructor(options: TapReaderOptions) {
    this.#options = options
  }

  begin(status: number, headers: Readonly<Record<string, string>>): boolean {
    this.status = status
    this.headers = headers
    const isOpen = status < 300 && isStream(headers)
    // What is no stream comes whole, and has the time of a whole answer.
    if (isOpen) this.#open()
    else this.#options.watch.stop()
    return isOpen
  }

  take(chunk: Buffer): UpstreamOutcome | null {
    const { watch, answer } = this.#options
    if (this.tap!.take(chunk)) watch.heard(answer.isFlowing)
    return this.tap!.isOver ? this.#ended() : null
  }

  end(): UpstreamOutcome {
    this.tap!.end()
    return this.#ended()
  }

  tooLarge(): UpstreamOutcome | null {
    this.tap!.cut()
    return this.#options.answer.tooLarge()
  }

  broken(broken: UpstreamBreak): UpstreamBreak {
    this.tap?.cut()
    return broken
  }

  /** Events that came under another name, or were compressed, are read here in one piece. */
  whole(answer: UpstreamAnswer): UpstreamOutcome {
    if (answer.status >= 300 || answer.json !== undefined || readEventStream(answer.text) === null)
      return answer
    this.#open()
    this.tap!.take(Buffer.from(answer.text))
    return this.end()
  }

  #open(): void {
    this.#options.answer.begin(this.status, this.headers)
    this.tap = createStreamTap(this.#options.dialect, this.#options.seals)
    this.#options.opened(new Response(this.tap.body))
  }

  #ended(): UpstreamAnswer {
    return { kind: 'answer', status: this.status, headers: this.headers, text: '', json: undefined }
  }
}
