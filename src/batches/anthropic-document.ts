import { Tokenizer, TokenizerError } from '@streamparser/json'
import { BatonError } from '../domain/errors.ts'
import { isJsonObject } from '../json/json-object.ts'
import { DocumentOutline, invalidDocument, invalidJson, type Span } from './document-outline.ts'
import { SeenIds } from './line-fault.ts'
import { customIdOf, onOneLine, parseSpan } from './message-request.ts'
import { GrowingBytes, withoutByteOrderMark } from './read-lines.ts'

export interface MessageBatchOptions {
  readonly maxRequests: number
  /** A longer request, or extra member, is refused: it is held whole. 16 MiB when not given. */
  readonly maxRequestBytes?: number
}

export interface MessageBatchDocument {
  /** To be read once. */
  readonly lines: AsyncIterable<Uint8Array>
  /** How many requests there were; after the end of `lines`. */
  total(): number
  /** The models that they name, but for more than a thousand; after the end of `lines`. */
  models(): ReadonlySet<string>
  /**
   * `webhook`, `completion_window` and `max_cost_usd`, our own additions, as they stood beside `requests`; after the end of
   * `lines`.
   */
  extras(): Readonly<Record<string, unknown>>
}

/** How much is tokenised and gathered at a time. */
const chunkBytes = 64 * 1024

const defaultMaxRequestBytes = 16 * 1024 * 1024
const mostModels = 1_000

/**
 * Reads `{"requests": [{"custom_id", "params"}, …]}` as a stream, and yields each request as one line of JSON, in
 * chunks of about 64 kB. The lines are the document's own text: numbers and escapes are not touched.
 *
 * `lines` rejects with BatonError `invalid_json`, `invalid_request` (a bad or repeated custom id, an unknown
 * member, none or too many requests) or `body_too_large` (one request); a rejection means that nothing of what
 * came before counts.
 */
export const messageBatchLines = (
  source: AsyncIterable<Uint8Array>,
  options: MessageBatchOptions,
): MessageBatchDocument => {
  const reader = new DocumentReader(options)
  async function* lines(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of withoutByteOrderMark(source)) {
      // A source may give all there is at once.
      for (let at = 0; at < chunk.length; at += chunkBytes) {
        reader.push(chunk.subarray(at, at + chunkBytes))
        if (reader.readyBytes >= chunkBytes) yield reader.take()
      }
    }
    reader.finish()
    if (reader.readyBytes > 0) yield reader.take()
  }
  return {
    lines: lines(),
    total: () => reader.total,
    models: () => reader.models,
    extras: () => reader.extras(),
  }
}

class DocumentReader {
  readonly #maxRequests: number
  readonly #maxRequestBytes: number
  // With a buffer of its own for strings the tokenizer takes half the time.
  readonly #tokenizer = new Tokenizer({ stringBufferSize: chunkBytes, numberBufferSize: 64 })
  readonly #outline = new DocumentOutline(span => this.#onSpan(span))
  readonly #seen = new SeenIds()
  readonly #objects: Record<string, unknown> = {}
  readonly #ready = new GrowingBytes()
  /**
   * The piece being tokenised, its first byte's offset, and what earlier pieces have of the value that is open.
   */
  #piece: Buffer = Buffer.alloc(0)
  #pieceStart = 0
  readonly #held = new GrowingBytes()
  #lastTokenAt = 0
  total = 0
  readonly models = new Set<string>()

  constructor({ maxRequests, maxRequestBytes = defaultMaxRequestBytes }: MessageBatchOptions) {
    this.#maxRequests = maxRequests
    this.#maxRequestBytes = maxRequestBytes
    this.#tokenizer.onToken = ({ token, value, offset }) => {
      this.#lastTokenAt = offset
      this.#outline.token(token, value, offset)
    }
  }

  get readyBytes(): number {
    return this.#ready.length
  }

  take(): Buffer {
    return this.#ready.take()
  }

  push(piece: Buffer): void {
    this.#piece = piece
    tokenizing(() => this.#tokenizer.write(piece))
    const { openSince } = this.#outline
    if (openSince !== null) this.#held.append(piece.subarray(Math.max(0, openSince - this.#pieceStart)))
    this.#pieceStart += piece.length
    // A string, too, is held by the tokenizer until its end.
    this.#limit(this.#pieceStart - (openSince ?? this.#lastTokenAt))
  }

  finish(): void {
    tokenizing(() => this.#tokenizer.end())
    this.#outline.finish()
    if (this.total === 0) throw invalidDocument('requests', 'requests: List should have at least 1 item')
  }

  extras(): Readonly<Record<string, unknown>> {
    const { requests: _, ...scalars } = Object.fromEntries(this.#outline.scalars)
    return { ...scalars, ...this.#objects }
  }

  #limit(bytes: number): void {
    if (bytes <= this.#maxRequestBytes) return
    throw new BatonError(
      'body_too_large',
      `requests.${this.total} is longer than the ${this.#maxRequestBytes} bytes that one request may have`,
      { param: `requests.${this.total}` },
    )
  }

  #onSpan({ member, start, end }: Span): void {
    this.#limit(end + 1 - start)
    const bytes = this.#bytesOf(start, end)
    const value = parseSpan(bytes, start)
    if (member === 'requests') this.#addRequest(bytes, value)
    else this.#objects[member] = value
  }

  #bytesOf(start: number, end: number): Buffer {
    const tail = this.#piece.subarray(Math.max(0, start - this.#pieceStart), end + 1 - this.#pieceStart)
    if (this.#held.length === 0) return tail
    this.#held.append(tail)
    return this.#held.take()
  }

  #addRequest(bytes: Buffer, request: unknown): void {
    const index = this.total
    if (index === this.#maxRequests) {
      throw invalidDocument('requests', `requests: List should have at most ${this.#maxRequests} items`)
    }
    const customId = customIdOf(request, index)
    const earlier = this.#seen.earlier(customId, index)
    if (earlier !== null) {
      const at = `requests.${index}.custom_id`
      throw invalidDocument(at, `${at}: '${customId}' is that of requests.${earlier} already`)
    }
    this.total += 1
    const { params } = request as { readonly params: unknown }
    if (isJsonObject(params) && typeof params.model === 'string' && this.models.size < mostModels)
      this.models.add(params.model)
    this.#ready.append(onOneLine(bytes))
    this.#ready.append(newline)
  }
}

const newline = Buffer.from('\n')

/**
 * The tokenizer's messages quote the text, and its errors stop here. What our own token handler throws passes.
 */
const tokenizing = (work: () => void): void => {
  try {
    work()
  } catch (error) {
    if (error instanceof TokenizerError || isDecodingError(error)) throw invalidJson(reasonOf(error))
    throw error
  }
}

const isDecodingError = (error: unknown): boolean =>
  (error as { code?: unknown } | null)?.code === 'ERR_ENCODING_INVALID_ENCODED_DATA'

const reasonOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : ''
  if (message.startsWith('Tokenizer ended')) return 'it ends too early'
  const position = /absolute position "(\d+)"/.exec(message)?.[1]
  return position === undefined ? 'a string is not valid UTF-8' : `unexpected character at byte ${position}`
}
