import type { LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { finishWord } from '../domain/classify/finish-words.ts'
import type { Dialect } from '../domain/endpoint.ts'
import { Interrupt } from '../domain/interrupt.ts'
import type { StreamedEndpoint } from '../domain/streaming/answer-fold.ts'
import type { SseEvent } from '../domain/streaming/sse-event.ts'
import type { StreamSink } from '../domain/streaming/stream-sink.ts'
import type { UpstreamAnswer, UpstreamOutcome } from '../domain/upstream.ts'
import { isJsonObject, type JsonObject } from '../json/json-object.ts'
import { writeShallow } from '../json/json-text.ts'
import type { StreamEncoder } from './formats/format-adapter.ts'
import type { Part } from './formats/stream-parts.ts'
import type { UpstreamRequest } from './provider.ts'
import type { Connection } from './sdk-adapter.ts'
import { Seals } from './seals.ts'
import { StallWatch } from './stall-watch.ts'
import type { StreamPaces } from './stream-limits.ts'
import type { StreamTap } from './stream-tap.ts'
import { StreamedAnswer } from './streamed-answer.ts'
import { TapReader } from './tap-reader.ts'
import { endOf, isFailure, isSuccess, opened, outcomeOfFailure, untoldBy } from './translation-outcomes.ts'
import type { Exchange, Prepared, Send } from './translation-parts.ts'
import type { UpstreamType } from './upstream-type.ts'

export interface StreamedTranslationParts {
  readonly type: UpstreamType
  readonly endpoint: StreamedEndpoint
  readonly dialect: Dialect
  readonly paces: StreamPaces
  readonly send: Send
  prepare(request: UpstreamRequest, seals: Seals): Promise<Prepared>
  connectionOf(request: UpstreamRequest, seals: Seals, exchange: Exchange): Connection
  /** What an answer comes to that was not streamed, though it was asked for. */
  whole(request: UpstreamRequest, answer: UpstreamAnswer): Promise<UpstreamOutcome>
}

/** What the SDK made of a stream. */
interface Read {
  /** Its last word; null where it did not come to one. */
  readonly finish: Part<'finish'> | null
  /** What kept it from being translated on; null for nothing. */
  readonly fault: unknown
}

const accept = (type: UpstreamType) => ({
  accept: type.dialect === 'bedrock' ? 'application/vnd.amazon.eventstream' : 'text/event-stream',
})

const showsUsage = (endpoint: StreamedEndpoint, { stream_options: options }: JsonObject): boolean =>
  endpoint !== '/v1/chat/completions' || (isJsonObject(options) && options.include_usage === true)

/** Whether an event that the SDK cannot read takes some of the answer with it; vendors invent new ones that do not. */
const holdsAnswer = (event: unknown): boolean =>
  !isJsonObject(event) ||
  ['choices', 'candidates', 'contentBlockStart', 'contentBlockDelta', 'messageStop'].some(
    name => name in event,
  ) ||
  /^(?:content|tool|message)/.test(String(event.type))

const failureOf = (finish: string | null): JsonObject => {
  const code = finishWord(finish)
  return { error: { message: `The answer ended with "${code}".`, type: 'server_error', code } }
}

const endings = /-end$|^tool-call$/

/** One call whose answer is put into the client's format while it comes. */
class StreamedCall {
  readonly #parts: StreamedTranslationParts
  readonly #request: UpstreamRequest
  readonly #sink: StreamSink
  readonly #seals = new Seals()
  /** Apart from those of the request, of which an answer has none: each event is looked through. */
  readonly #answerSeals = new Seals()
  readonly #watch: StallWatch
  /** Ends the call to the provider alone, which must have ended before another one begins. */
  readonly #interrupt = new Interrupt()
  #reader: TapReader | null = null
  #sent: Promise<UpstreamOutcome | null> = Promise.resolve(null)
  #answer: StreamedAnswer | null = null
  #encoder: StreamEncoder | null = null

  constructor(parts: StreamedTranslationParts, request: UpstreamRequest, sink: StreamSink) {
    this.#parts = parts
    this.#request = request
    this.#sink = sink
    this.#watch = new StallWatch(parts.paces.limits(request.model))
  }

  async run(): Promise<UpstreamOutcome> {
    const { signal, model } = this.#request
    const abort = (): void => this.#interrupt.abort(signal.reason)
    if (signal.aborted) abort()
    signal.onabort = abort
    const read = await this.#read()
    const isStopped = read.fault !== null && this.#isSound()
    if (isStopped || this.#reader?.tap?.error) this.#interrupt.abort(read.fault)
    const raw = await this.#sent
    signal.onabort = null
    this.#watch.stop()
    const outcome = await this.#outcome(isStopped ? null : raw, read)
    this.#parts.paces.record(model, outcome, this.#watch.seen)
    return outcome
  }

  async #read(): Promise<Read> {
    const { type, endpoint, prepare, connectionOf } = this.#parts
    try {
      const { body, adapter, options, facts } = await prepare(this.#request, this.#seals)
      const connection = connectionOf(this.#request, this.#seals, this.#exchange)
      this.#encoder = adapter.toEvents(facts)
      this.#answer = new StreamedAnswer({
        ...{ endpoint, sink: this.#sink, watch: this.#watch },
        showsUsage: showsUsage(endpoint, body),
      })
      const asked = { ...options, includeRawChunks: true }
      const { stream } = await type.sdk.stream(facts.model, connection, asked)
      return { finish: await this.#pump(stream), fault: null }
    } catch (fault) {
      return { finish: null, fault }
    }
  }

  readonly #exchange: Exchange = (path, body, made) =>
    new Promise((resolve, reject) => {
      const { type, send } = this.#parts
      const watch = this.#watch
      const reader = new TapReader({
        ...{ dialect: type.dialect, seals: this.#answerSeals, watch, answer: this.#answer!, opened: resolve },
      })
      this.#reader = reader
      const request = { ...this.#request, signal: this.#interrupt }
      this.#sent = send(path, body, request, { ...accept(type), ...made }, { reader, watch })
      // Comes to nothing where the answer was opened.
      void this.#sent.then(() => reject(new Error('nothing to translate')))
    })

  /** Whether the answer is neither broken off nor told to have failed. */
  #isSound(): boolean {
    const tap = this.#reader?.tap
    return tap !== undefined && tap !== null && !tap.isCut
  }

  /** Passes on what the SDK reads, but for its last word. Throws where that cannot go on. */
  async #pump(stream: ReadableStream<LanguageModelV4StreamPart>): Promise<Part<'finish'> | null> {
    let finish: Part<'finish'> | null = null
    let event: unknown = null
    for await (const part of stream) {
      if (part.type === 'raw') {
        event = part.rawValue
        if (this.#reader!.tap!.see(event)) break
        continue
      }
      if (part.type === 'error') {
        // One at the end only says that there was none.
        if (this.#isSound() && event !== null && holdsAnswer(event)) throw part.error
      } else if (part.type === 'finish') finish = part
      // Where a stream breaks off, the SDK ends what is open.
      else if (this.#isSound() || !endings.test(part.type)) this.#pass(part)
      event = null
    }
    return finish
  }

  /** `raw`: what the call to the provider came to; null where it was not sent, or ended for what is wrong with the answer. */
  async #outcome(raw: UpstreamOutcome | null, { finish, fault }: Read): Promise<UpstreamOutcome> {
    const { dialect, whole } = this.#parts
    const tap = this.#reader?.tap
    if (!tap) {
      return raw !== null && isSuccess(raw)
        ? whole(this.#request, raw)
        : outcomeOfFailure(raw, dialect, fault)
    }
    const answer = this.#answer!
    if (tap.error !== null) return answer.failed(tap.error)
    if (raw?.kind === 'break') return answer.broken(raw)
    if (fault !== null) return this.#untold(tap, null, fault)
    if (finish?.finishReason.raw === undefined) {
      return tap.last === null ? answer.end() : answer.cutShort('the stream ended before its answer did')
    }
    const word = endOf(finish.finishReason)
    if (isFailure(word) && answer.isFlowing) return answer.failed({ body: failureOf(word) })
    if (isFailure(word) || tap.holdsMore) return this.#untold(tap, word, null)
    try {
      return this.#told(this.#pass(finish) ?? answer.end(), word)
    } catch (error) {
      return this.#untold(tap, word, error)
    }
  }

  #pass(part: LanguageModelV4StreamPart): UpstreamOutcome | null {
    const events = this.#encoder!.take(part).map(
      (event): SseEvent => ({ ...event, raw: this.#answerSeals.open(event.raw) }),
    )
    return events.length === 0 ? null : this.#answer!.take(events)
  }

  #told(outcome: UpstreamOutcome, finish: string | null): UpstreamOutcome {
    return outcome.kind === 'break' || !isJsonObject(outcome.json)
      ? outcome
      : { ...outcome, ...opened(outcome.json, this.#answerSeals, outcome.text), finish }
  }

  /** The answer as it came, of which all that tells of it is the last event. */
  #untold({ last }: StreamTap, finish: string | null, fault: unknown): UpstreamOutcome {
    const answer = this.#answer!
    // The SDK's error holds the request and stays here.
    const cause = new Error('the answer cannot be translated')
    if (answer.isFlowing) return answer.broken({ kind: 'break', reason: 'protocol', sent: true, cause })
    const { status, headers } = this.#reader!
    const told = { status, headers, text: writeShallow(last ?? {}), json: last ?? {} }
    return { kind: 'answer', ...told, ...(finish === null ? {} : { finish }), untold: untoldBy(fault) }
  }
}

export const createStreamedTranslation =
  (parts: StreamedTranslationParts) =>
  (request: UpstreamRequest, sink: StreamSink): Promise<UpstreamOutcome> =>
    new StreamedCall(parts, request, sink).run()
