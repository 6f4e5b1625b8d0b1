import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { errors } from 'undici'
import type { BreakReason, UpstreamAnswer, UpstreamBreak, UpstreamOutcome } from '../domain/upstream.ts'
import { type AnswerText, readAnswerText } from './answer-text.ts'
import type { BodyReader } from './body-reader.ts'
import { decodeBody, isEncoded } from './decode-body.ts'

/** A stream that has told its end is followed by that of its body, which frees the connection: at once, where all is well. */
const endingMs = 1_000

const ended = new Error('the call was ended from this side')

const joinRepeated = (headers: IncomingHttpHeaders): Record<string, string> => {
  const joined: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return joined
}

/**
 * One request on its way, as undici reports it; settles exactly once.
 *
 * waiting (for a connection) → started (bytes may be on the wire: `sent`) → settled, from any state. A call
 * that is ended while it waits settles at once, and stops itself when undici comes to start it.
 *
 * A handler of its own rather than `Pool.request`: that one says only that a request failed, not whether it
 * was ever written, and wraps each body in a stream that a whole answer has no use for.
 */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  readonly #maxBytes: number
  readonly #settle: (outcome: UpstreamOutcome) => void
  readonly #reader: BodyReader | null
  #isRead = false
  #ending: NodeJS.Timeout | undefined
  /** Called when undici is done with the call, which may be later than it settles. `isWhole`: its answer came to its end. */
  onDone: (isWhole: boolean) => void = () => undefined
  #controller: Dispatcher.DispatchController | null = null
  #settled = false
  #status = 0
  #headers: Record<string, string> = {}
  #chunks: Buffer[] = []
  #byteCount = 0

  constructor(
    maxBytes: number,
    settle: (outcome: UpstreamOutcome) => void,
    reader: BodyReader | null = null,
  ) {
    this.#maxBytes = maxBytes
    this.#settle = settle
    this.#reader = reader
  }

  /** Ends the call from this side. Does nothing once it is settled. */
  end(reason: BreakReason, cause: unknown): void {
    this.#break({ kind: 'break', reason, sent: this.#controller !== null, cause })
    this.#controller?.abort(ended)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#settled) controller.abort(ended)
    else this.#controller = controller
  }

  onResponseStart(_controller: unknown, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return
    this.#status = status
    this.#headers = joinRepeated(headers)
    this.#isRead = this.#reader?.begin(status, this.#headers) ?? false
    if (Number(headers['content-length']) > this.#maxBytes) this.#unread('too_large')
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    if (this.#settled) return
    this.#byteCount += chunk.length
    if (this.#byteCount > this.#maxBytes) this.#unread('too_large')
    else if (this.#isRead) this.#read(chunk)
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    clearTimeout(this.#ending)
    this.onDone(true)
    if (this.#settled) return
    if (this.#isRead) this.#finish(this.#reader!.end())
    else this.#readWhole()
  }

  onResponseError(_controller: unknown, error: Error): void {
    clearTimeout(this.#ending)
    this.onDone(false)
    this.#break(breakOf(error, this.#controller !== null))
  }

  #readWhole(): void {
    const [first] = this.#chunks
    const bytes = first && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#byteCount)
    if (isEncoded(bytes, this.#headers['content-encoding'])) this.#answerDecoded(bytes)
    else this.#answer(readAnswerText(bytes))
  }

  #read(chunk: Buffer): void {
    const outcome = this.#reader!.take(chunk)
    if (outcome === null) return
    this.#finish(outcome)
    this.#ending = setTimeout(() => this.#controller?.abort(ended), endingMs)
    this.#ending.unref()
  }

  #answerDecoded(bytes: Buffer): void {
    decodeBody(bytes, this.#headers['content-encoding'], this.#maxBytes).then(
      decoded => this.#answer(readAnswerText(decoded)),
      error =>
        error.code === 'ERR_BUFFER_TOO_LARGE' ? this.#unread('too_large') : this.#undecoded(bytes, error),
    )
  }

  /** Some proxies decode an answer and leave the header there; others name a charset in it. */
  #undecoded(bytes: Buffer, error: NodeJS.ErrnoException): void {
    const plain = readAnswerText(bytes)
    if (plain.json !== undefined) this.#answer(plain)
    else if (this.#status < 300 && error.code === 'Z_BUF_ERROR') this.end('reset', error)
    else this.#unread('undecodable')
  }

  #answer({ text, json }: AnswerText): void {
    if (this.#settled) return
    const answer = { kind: 'answer' as const, status: this.#status, headers: this.#headers, text, json }
    this.#finish(this.#reader?.whole(answer) ?? answer)
  }

  /**
   * The answer came and was paid for: another call would be paid again. For an error, the status says enough.
   */
  #unread(why: NonNullable<UpstreamAnswer['unread']>): void {
    const [status, headers] = [this.#status, this.#headers]
    const unread = status < 300 ? { unread: why } : {}
    const cut = why === 'too_large' && this.#isRead ? this.#reader!.tooLarge() : null
    this.#finish(cut ?? { kind: 'answer', status, headers, text: '', json: undefined, ...unread })
    this.#controller?.abort(ended)
  }

  #break(broken: UpstreamBreak): void {
    if (!this.#settled) this.#finish(this.#reader?.broken(broken) ?? broken)
  }

  #finish(outcome: UpstreamOutcome): void {
    if (this.#settled) return
    this.#settled = true
    this.#settle(outcome)
  }
}

const dnsCodes = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME'])

/** Node's TLS errors, and the OpenSSL verification results that it reports as codes. */
const tlsCode = /TLS|SSL|CERT|CRL|UNABLE_TO_|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|EPROTO/

/** The pool was closed under the call. */
const closedCodes = new Set(['UND_ERR_DESTROYED', 'UND_ERR_CLOSED'])

const protocolCodes = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_INVALID_ARG'])

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '')

const reasonOf = (code: string, sent: boolean): BreakReason => {
  if (closedCodes.has(code)) return 'aborted'
  if (protocolCodes.has(code)) return 'protocol'
  if (sent) return 'reset'
  if (dnsCodes.has(code)) return 'dns'
  return tlsCode.test(code) ? 'tls' : 'connect'
}

/** Says what a failed request means. `sent`: whether undici had begun to write it to a connection. */
export const breakOf = (error: Error, sent: boolean): UpstreamBreak => {
  // undici 8.12 leaves the parser's error without a code, and puts into it the bytes it stumbled over: part
  // of an answer, which must not reach a log.
  if (error instanceof errors.HTTPParserError) {
    return { kind: 'break', reason: 'protocol', sent, cause: new Error('the answer is not valid HTTP') }
  }
  return { kind: 'break', reason: reasonOf(codeOf(error), sent), sent, cause: error }
}
