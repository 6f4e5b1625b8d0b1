import { isGivable, type JobErrorCode } from '../domain/job.ts'
import type { JobResult } from '../jobs/store.ts'

/** Failures for what a provider said: its last answer goes with them. */
const ofProviders: ReadonlySet<JobErrorCode> = new Set([
  'upstream_rejected',
  'refused',
  'malformed_answer',
  'untranslatable_answer',
])

/** Where the code says that there is no answer, a 2xx is none. */
export const lastResponseFor = (code: JobErrorCode, last: JobResult['response']): JobResult['response'] => {
  if (last === null || !ofProviders.has(code)) return null
  return last.statusCode < 300 && isGivable({ code, message: '' }) ? null : last
}
