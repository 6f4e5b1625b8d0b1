import type { UpstreamDialect } from '../endpoint.ts'

/** `says` is tested against the start of the message, in lower case. */
export type Wording = readonly [
  says: RegExp,
  reason: string,
  statuses?: readonly number[],
  dialect?: UpstreamDialect,
]
