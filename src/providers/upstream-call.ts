import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { errors } from 'undici'
import type { BreakReason, UpstreamAnswer, UpstreamBreak, UpstreamOutcome } from '../domain/upstream.ts'
import { type AnswerText, readAnswerText } from './answer-text.ts'
import { decodeBody, isEncoded } from './decode-body.ts'

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
  /** Called when undici is done with the call, which may be later than it settles. `isWhole`: its answer came to its end. */
  onDone: (isWhole: boolean) => void = () => undefined
  #controller: Dispatcher.DispatchController | null = null
  #settled = false
  #status = 0
  #headers: Record<string, string> = {}
  #chunks: Buffer[] = []
  #byteCount = 0

  constructor(maxBytes: number, settle: (outcome: UpstreamOutcome) => void) {
    this.#maxBytes = maxBytes
    this.#settle = settle
  }

  /** Ends the call from this side. Does nothing once it is settled. */
  end(reason: BreakReason, cause: unknown): void {
    this.#finish({ kind: 'break', reason, sent: this.#controller !== null, cause })
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
    if (Number(headers['content-length']) > this.#maxBytes) this.#unread('too_large')
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.#byteCount += chunk.length
    if (this.#byteCount > this.#maxBytes) this.#unread('too_large')
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    this.onDone(true)
    const [first] = this.#chunks
    const bytes = first && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#byteCount)
    if (isEncoded(bytes, this.#headers['content-encoding'])) this.#answerDecoded(bytes)
    else this.#answer(readAnswerText(bytes))
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.onDone(false)
    this.#finish(breakOf(error, this.#controller !== null))
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
    this.#finish({ kind: 'answer', status: this.#status, headers: this.#headers, text, json })
  }

  /**
   * The answer came and was paid for: another call would be paid again. For an error, the status says enough.
   */
  #unread(why: NonNullable<UpstreamAnswer['unread']>): void {
    const [status, headers] = [this.#status, this.#headers]
    const unread = status < 300 ? { unread: why } : {}
    this.#finish({ kind: 'answer', status, headers, text: '', json: undefined, ...unread })
    this.#controller?.abort(ended)
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
