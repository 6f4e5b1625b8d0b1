import type { Draft, DraftRoute } from './draft.ts'
import type { Finding, Path } from './fault.ts'

/** What the defaults of the schema are: a draft has what is written alone. */
const cacheDefaults = { max_bytes: 256 * 1024, max_total_bytes: 64 * 1024 * 1024 }
/** Answers of a route are spread over so many parts, by chance, each with its part of the room. */
const parts = 16

/** What is wrong with what a route does beside answering. */
export const asideFindings = (_draft: Draft, name: string, route: DraftRoute): Finding[] =>
  cacheFindings(['models', name, 'cache'], route.cache)

const cacheFindings = (path: Path, cache: DraftRoute['cache']): Finding[] => {
  if (cache === undefined) return []
  const most = cache.max_bytes ?? cacheDefaults.max_bytes
  const total = cache.max_total_bytes ?? cacheDefaults.max_total_bytes
  if (total >= most * parts) return []
  const message = `is too little: answers of max_bytes (${most}) need at least ${most * parts}`
  return [{ code: 'relation', path: [...path, 'max_total_bytes'], message }]
}
