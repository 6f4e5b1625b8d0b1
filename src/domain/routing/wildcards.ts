/** A name with a star in it stands for every name that begins and ends as it does: `openai/*`, `*`. */
export const isWildcard = (name: string): boolean => name.includes('*')

/** The models of a provider that only wildcards lead to go by this name together: clients choose what they are called. */
export const anyModel = '*'

/**
 * What a client may put for a star. It becomes the name of a model at a vendor, and for some a part of the path: no segment of it
 * leads up, and nothing ends the path.
 */
const starForm = /^[A-Za-z0-9~][\w.:@+-]*(?:\/[A-Za-z0-9~][\w.:@+-]*)*$/
const longestStar = 200

/** What stands for the star of a pattern in a name; null where the name is not like it. */
const starOf = (pattern: string, name: string): string | null => {
  const at = pattern.indexOf('*')
  const [head, tail] = [pattern.slice(0, at), pattern.slice(at + 1)]
  if (name.length < head.length + tail.length + 1) return null
  return name.startsWith(head) && name.endsWith(tail)
    ? name.slice(head.length, name.length - tail.length)
    : null
}

/** A name with the star's part in place of its star. Without one it stays as it is. */
export const filled = (name: string, star: string | null): string =>
  star === null ? name : name.replace('*', () => star)

export interface WildcardMatch {
  readonly pattern: string
  readonly star: string
}

/** The pattern that says most of a name, by its letters; the first of several that say as much. */
export const matchWildcard = (patterns: readonly string[], name: string): WildcardMatch | null => {
  let best: WildcardMatch | null = null
  for (const pattern of patterns) {
    const star = starOf(pattern, name)
    if (star !== null && (best === null || pattern.length > best.pattern.length)) best = { pattern, star }
  }
  return best
}

/** Whether clients may put this for a star. */
export const isStar = (star: string): boolean => star.length <= longestStar && starForm.test(star)

/** Where a pattern leads for each of a provider's models: the name that a client gives, by the name that is sent. */
export const nameFor = (pattern: string, upstreamPattern: string, model: string): string | null => {
  const star = upstreamPattern === anyModel ? model : starOf(upstreamPattern, model)
  return star !== null && isStar(star) ? filled(pattern, star) : null
}
