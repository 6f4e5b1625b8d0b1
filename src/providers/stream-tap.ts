import { holdsMore } from '../domain/classify/answer-formats.ts'
import type { UpstreamDialect } from '../domain/endpoint.ts'
import { readEvent } from '../domain/streaming/read-event.ts'
import type { SseEvent } from '../domain/streaming/sse-event.ts'
import { SseSplitter } from '../domain/streaming/sse-splitter.ts'
import { isJsonObject, type JsonObject } from '../json/json-object.ts'
import type { Sealed, Seals } from './seals.ts'
import type { ToldError } from './streamed-answer.ts'

/**
 * The body of an answer on its way to the SDK, which hides the errors in it or invents their status, goes on after events that it
 * cannot read, and waits for the connection to close.
 */
export interface StreamTap {
  /** What the SDK reads; it ends with the answer, or with what spoils it. */
  readonly body: ReadableStream<Uint8Array>
  /** Null until the provider tells one. */
  readonly error: ToldError | null
  /** Whether nothing of the answer can come any more. */
  readonly isOver: boolean
  /** Whether it ended by what spoils it, or by a break. */
  readonly isCut: boolean
  /** The last event that holds some of the answer; null before any. */
  readonly last: JsonObject | null
  /** Whether it holds what a translation would leave out in silence. */
  readonly holdsMore: boolean
  /** Returns whether it shows the model at work: comments do not. */
  take(chunk: Uint8Array): boolean
  /** The body has come to its end. */
  end(): void
  /** The body broke off. */
  cut(): void
  /** Takes an event as the SDK has read it; returns whether it is an error that nobody had seen. */
  see(event: unknown): boolean
}

/** The same of events as of whole answers, where the SDK parses what is for the tools to read. */
const sealedOfEvents: Readonly<Partial<Record<UpstreamDialect, Sealed>>> = {
  google: { inputs: [['candidates', '*', 'content', 'parts', '*', 'functionCall', 'args']], numbers: [] },
  anthropic: { inputs: [['content_block', 'input']], numbers: [] },
}

const isDone = ({ data }: SseEvent): boolean => data?.trim() === '[DONE]'

/** The last events of Anthropic and Cohere. */
const isLast = ({ type }: JsonObject): boolean => type === 'message_stop' || type === 'message-end'

/** Events that Anthropic may add at any time, which clients are told to ignore, and which the SDK takes for an error. */
const isUnknown = (dialect: UpstreamDialect, { type }: JsonObject): boolean =>
  dialect === 'anthropic' && !/^(?:message_|content_block_|ping$)/.test(String(type))

const holdsInput = /"(?:functionCall|input)"\s*:\s*\{/
const mayHoldMore = /"(?:images|function_call)"/

const holdsMoreInDelta = ({ choices }: JsonObject): boolean =>
  Array.isArray(choices) &&
  choices.some(choice => isJsonObject(choice) && holdsMore({ choices: [{ message: choice.delta }] }))

abstract class Tap implements StreamTap {
  readonly body: ReadableStream<Uint8Array>
  #controller!: ReadableStreamDefaultController<Uint8Array>
  isOver = false
  isCut = false
  error: ToldError | null = null
  last: JsonObject | null = null
  holdsMore = false

  constructor() {
    this.body = new ReadableStream({
      start: controller => {
        this.#controller = controller
      },
      // The SDK reads no further, so that there is nobody to give the rest to.
      cancel: () => {
        this.isOver = true
      },
    })
  }

  abstract take(chunk: Uint8Array): boolean
  abstract see(event: unknown): boolean

  end(): void {
    this.close()
  }

  cut(): void {
    if (!this.isOver) this.isCut = true
    this.close()
  }

  protected close(): void {
    if (this.isOver) return
    this.isOver = true
    this.#controller.close()
  }

  protected pass(bytes: Uint8Array): void {
    if (!this.isOver && bytes.length > 0) this.#controller.enqueue(bytes)
  }
}

/** Of server-sent events. */
class SseTap extends Tap {
  readonly #splitter = new SseSplitter()
  readonly #decoder = new TextDecoder()
  readonly #dialect: UpstreamDialect
  readonly #sealed: Sealed | undefined
  readonly #seals: Seals

  constructor(dialect: UpstreamDialect, seals: Seals) {
    super()
    this.#dialect = dialect
    this.#sealed = sealedOfEvents[dialect]
    this.#seals = seals
  }

  take(chunk: Uint8Array): boolean {
    return this.#read(this.#splitter.push(this.#decoder.decode(chunk, { stream: true })))
  }

  override end(): void {
    this.#read([...this.#splitter.push(this.#decoder.decode()), ...this.#splitter.end()])
    this.close()
  }

  see(): boolean {
    return false
  }

  #read(events: readonly SseEvent[]): boolean {
    const texts: string[] = []
    let isOver = false
    for (const event of events) {
      const read = isDone(event) ? null : readEvent(event)
      if (read?.error !== undefined) this.error = { body: read.error }
      else if (!read?.body || !isUnknown(this.#dialect, read.body)) texts.push(this.#sealedText(event))
      if (read?.body !== undefined) this.#note(read.body, event.data!)
      isOver = this.error !== null || isDone(event) || (read?.body !== undefined && isLast(read.body))
      if (isOver) break
    }
    this.pass(Buffer.from(texts.join('')))
    if (this.error !== null) this.cut()
    else if (isOver) this.close()
    return events.some(({ data }) => data !== null)
  }

  #note(body: JsonObject, data: string): void {
    if (!Array.isArray(body.choices) || body.choices.length > 0) this.last = body
    if (mayHoldMore.test(data)) this.holdsMore ||= holdsMoreInDelta(body)
  }

  #sealedText({ raw, name, data }: SseEvent): string {
    if (this.#sealed === undefined || data === null || !holdsInput.test(data)) return raw
    const sealed = this.#seals.seal(data, this.#sealed).replaceAll('\n', '')
    return `${name === null ? '' : `event: ${name}\n`}data: ${sealed}\n\n`
  }
}

const awsStatuses: Readonly<Record<string, number>> = {
  internalServerException: 500,
  modelStreamErrorException: 424,
  modelTimeoutException: 408,
  serviceUnavailableException: 503,
  throttlingException: 429,
  validationException: 400,
}

/** Of AWS's binary event streams, whose events only the SDK takes apart. */
class AwsTap extends Tap {
  take(chunk: Uint8Array): boolean {
    this.pass(chunk)
    return true
  }

  /** An exception comes under its name, with its body. */
  see(event: unknown): boolean {
    if (!isJsonObject(event)) return false
    this.last = event
    const [[name, body] = []] = Object.entries(event)
    if (this.error !== null || name === undefined || !/Exception$/i.test(name)) return false
    this.isCut = true
    this.error = {
      body: isJsonObject(body) ? body : {},
      headers: { 'x-amzn-errortype': name.charAt(0).toUpperCase() + name.slice(1) },
      status: awsStatuses[name] ?? 500,
    }
    return true
  }
}

export const createStreamTap = (dialect: UpstreamDialect, seals: Seals): StreamTap =>
  dialect === 'bedrock' ? new AwsTap() : new SseTap(dialect, seals)
