import { forbiddenAddressCode } from './guarded-connect.ts'

/** Why an attempt ended without an answer. */
export type TransportFailure =
  | 'dns' // the name did not resolve
  | 'connect' // refused or unreachable
  | 'tls'
  | 'reset' // the connection ended, or stopped being HTTP, before an answer came
  | 'forbidden_address'
  | 'aborted' // we ended it

/** Node, OpenSSL and undici name their errors by `code`; the first match wins. */
const reasonsByCode: readonly (readonly [RegExp, TransportFailure])[] = [
  [new RegExp(`^${forbiddenAddressCode}$`), 'forbidden_address'],
  [/^UND_ERR_(DESTROYED|CLOSED|ABORTED)$/, 'aborted'],
  [/^(ENOTFOUND|ENODATA|ESERVFAIL|EAI_\w+)$/, 'dns'],
  [/CERT|^UNABLE_TO_|^HOSTNAME_MISMATCH$|^ERR_(TLS|SSL)_|^EPROTO$/, 'tls'],
  [
    /^(ECONNREFUSED|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|EADDRNOTAVAIL|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|ERR_PROXY_REFUSED)$/,
    'connect',
  ],
]

export const transportFailure = (error: unknown): TransportFailure => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return reasonsByCode.find(([pattern]) => pattern.test(code))?.[1] ?? 'reset'
}
