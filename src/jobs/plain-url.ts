import type { JobView } from './view.ts'

/** A webhook's address for readers who are not of its tenant: without its query, which may hold a secret. */
export const plainUrl = (url: string): string => {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

/** Anything with a webhook, as such a reader sees it. */
export const withPlainUrl = <Shown extends { readonly webhook: JobView['webhook'] }>(shown: Shown): Shown =>
  shown.webhook === null
    ? shown
    : { ...shown, webhook: { ...shown.webhook, url: plainUrl(shown.webhook.url) } }
