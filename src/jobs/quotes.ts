import type { VerdictKind } from '../domain/classify/verdict.ts'
import type { Attempt, ProviderError } from '../domain/job.ts'
import type { JobView } from './view.ts'

/** Verdicts on a request, or on its answer: what a provider says with them may quote either. */
const quoting: ReadonlySet<VerdictKind | null> = new Set([
  'rejected',
  'refused',
  'too_long',
  'unsupported',
  'malformed',
  'untranslatable',
])

/** What stands in the place of such a message. */
export const hiddenMessage = '(hidden by `ui.show_content`, as it may quote the request)'

/**
 * The job without providers' messages that may quote its request or its answer, for readers who may see neither. Codes stay, and what
 * providers say of themselves, of a key or of a model.
 */
export const withoutQuotes = (job: JobView): JobView => {
  const quotes = new Set(job.attempts.flatMap(quoteIn))
  if (quotes.size === 0) return job
  const hide = <Said extends ProviderError>(said: Said): Said =>
    quotes.has(said.message) ? { ...said, message: hiddenMessage } : said
  const { error, last_error } = job
  return {
    ...job,
    attempts: job.attempts.map(attempt =>
      attempt.error === undefined ? attempt : { ...attempt, error: hide(attempt.error) },
    ),
    error: error && {
      ...error,
      // A sentence of Baton's with the provider's words in it.
      message: [...quotes].reduce(
        (text, quote) => text.replaceAll(quote, () => hiddenMessage),
        error.message,
      ),
      ...(error.last_error && { last_error: hide(error.last_error) }),
    },
    ...(last_error && { last_error: hide(last_error) }),
  }
}

const quoteIn = ({ verdict, error }: Attempt): readonly string[] =>
  error !== undefined && error.message !== '' && quoting.has(verdict) ? [error.message] : []
