import type { UpstreamBreak } from '../../domain/upstream.ts'
import { unsent } from './renewed.ts'

/** Why there are no credentials, in sentences for whoever can mend it: what was found, and what to do. Holds nothing secret. */
export class CredentialError extends Error {
  override readonly name = 'CredentialError'
}

/** As what becomes of a call that was never made. */
export const withoutCredentials = (message: string): UpstreamBreak =>
  unsent('credentials', new CredentialError(message))
