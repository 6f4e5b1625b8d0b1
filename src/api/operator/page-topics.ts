import { BatonError } from '../../domain/errors.ts'

/** What an open page shows. */
export interface PageTopics {
  readonly hasOverview: boolean
  /** All providers, or these. */
  readonly hasProviders: boolean
  readonly providers: ReadonlySet<string>
}

/** Of `topics=overview,provider:openai`; throws `invalid_request` for a topic that is not known. */
export const parseTopics = (text: string): PageTopics => {
  const providers = new Set<string>()
  let [hasOverview, hasProviders] = [false, false]
  for (const topic of text.split(',').filter(word => word !== '')) {
    const [, kind, subject = ''] = /^([a-z]+)(?::(.+))?$/.exec(topic) ?? []
    if (topic === 'overview') hasOverview = true
    else if (topic === 'providers') hasProviders = true
    else if (kind === 'provider' && subject !== '') providers.add(subject)
    else throw new BatonError('invalid_request', `There is no topic '${topic}'.`, { param: 'topics' })
  }
  return { hasOverview, hasProviders, providers }
}
