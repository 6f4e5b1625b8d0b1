import { describe, expect, test } from 'vitest'
import { breakOf } from '../../../src/providers/upstream-call.ts'

describe('reasons of broken connections', () => {
  /** What cannot be brought about on the loopback; the rest is in `faults.test.ts`, with real servers. */
  test.each([
    ['ENOTFOUND', false, 'dns'],
    ['EAI_AGAIN', false, 'dns'],
    ['ECONNREFUSED', false, 'connect'],
    ['EHOSTUNREACH', false, 'connect'],
    ['ENETUNREACH', false, 'connect'],
    ['ETIMEDOUT', false, 'connect'],
    ['UND_ERR_CONNECT_TIMEOUT', false, 'connect'],
    ['ECONNRESET', false, 'connect'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', false, 'tls'],
    ['CERT_HAS_EXPIRED', false, 'tls'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', false, 'tls'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', false, 'tls'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', false, 'tls'],
    ['EPIPE', true, 'reset'],
    ['ECONNRESET', true, 'reset'],
    ['UND_ERR_SOCKET', true, 'reset'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', true, 'reset'],
    ['UND_ERR_HEADERS_OVERFLOW', true, 'protocol'],
    ['UND_ERR_INVALID_ARG', false, 'protocol'],
    ['UND_ERR_DESTROYED', true, 'aborted'],
    ['UND_ERR_CLOSED', false, 'aborted'],
  ] as const)('%s, sent: %s, is %s', (code, sent, reason) => {
    const error = Object.assign(new Error('cause'), { code })
    expect(breakOf(error, sent)).toEqual({ kind: 'break', reason, sent, cause: error })
  })
})
