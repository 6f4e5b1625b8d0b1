import { errors } from 'undici'
import type { BreakReason, UpstreamBreak } from '../domain/upstream.ts'

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
  // undici 8.12 leaves the parser's error without a code, and puts into it the bytes it stumbled over: part of an
  // answer, which must not reach a log.
  if (error instanceof errors.HTTPParserError) {
    return { kind: 'break', reason: 'protocol', sent, cause: new Error('the answer is not valid HTTP') }
  }
  return { kind: 'break', reason: reasonOf(codeOf(error), sent), sent, cause: error }
}
