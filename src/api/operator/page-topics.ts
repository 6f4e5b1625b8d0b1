import { BatonError } from '../../domain/errors.ts'
import { isBatchId, isJobId } from '../../redis/keys.ts'

/** What an open page shows. */
export interface PageTopics {
  readonly hasOverview: boolean
  /** All providers, or these. */
  readonly hasProviders: boolean
  readonly providers: ReadonlySet<string>
  readonly hasBatches: boolean
  readonly hasWebhooks: boolean
  /** The batch and the job that are open. */
  readonly batch: string | null
  readonly job: string | null
  /** Jobs that a list shows. */
  readonly rows: ReadonlySet<string>
}

/** A page of a list has no more. */
export const mostRows = 50

/**
 * Of `topics=overview,provider:openai,rows:<id>,<id>`: ids that follow those of rows are of rows too. Throws `invalid_request` for a
 * topic that is not known.
 */
export const parseTopics = (text: string): PageTopics => {
  const providers = new Set<string>()
  const rows = new Set<string>()
  let [hasOverview, hasProviders, hasBatches, hasWebhooks] = [false, false, false, false]
  let [batch, job]: (string | null)[] = [null, null]
  for (const topic of text.split(',').filter(word => word !== '')) {
    const [, kind, subject = ''] = /^([a-z]+):(.+)$/.exec(topic) ?? []
    if (topic === 'overview') hasOverview = true
    else if (topic === 'providers') hasProviders = true
    else if (topic === 'batches') hasBatches = true
    else if (topic === 'webhooks') hasWebhooks = true
    else if (kind === 'provider') providers.add(subject)
    else if (kind === 'batch' && isBatchId(subject)) batch = subject
    else if (kind === 'job' && isJobId(subject)) job = subject
    else if (kind === 'rows' && isJobId(subject)) rows.add(subject)
    else if (rows.size > 0 && isJobId(topic)) rows.add(topic)
    else throw new BatonError('invalid_request', `There is no topic '${topic}'.`, { param: 'topics' })
  }
  if (rows.size > mostRows)
    throw new BatonError('invalid_request', `\`rows\` has at most ${mostRows} jobs.`, { param: 'topics' })
  return {
    hasOverview,
    hasProviders,
    providers,
    hasBatches,
    hasWebhooks,
    batch: batch ?? null,
    job: job ?? null,
    rows,
  }
}
