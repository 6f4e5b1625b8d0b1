import { isIP } from 'node:net'

export const resolverPath = '/etc/resolv.conf'

/** The settings of resolv.conf. */
export interface ResolverSettings {
  /** None: those that Node knows of. */
  readonly servers: readonly string[]
  readonly search: readonly string[]
  /** A name with fewer dots is first looked for in the domains of `search`. */
  readonly ndots: number
}

/** More than these, the system's own resolver does not look at. */
const mostServers = 3
const mostNdots = 15

/** As resolv.conf(5) has it: the last `search` or `domain` rules, and so does the last `ndots`. */
export const parseResolverSettings = (text: string): ResolverSettings => {
  const servers: string[] = []
  let search: readonly string[] = []
  let ndots = 1
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    if (keyword === 'nameserver' && isIP(words[0] ?? '') !== 0) servers.push(words[0]!)
    if (keyword === 'domain' || keyword === 'search') search = words.map(withoutDots).filter(Boolean)
    if (keyword === 'options') {
      const told = words.map(word => /^ndots:(\d+)$/.exec(word)?.[1]).filter(found => found !== undefined)
      if (told.length > 0) ndots = Math.min(Number(told.at(-1)), mostNdots)
    }
  }
  return { servers: servers.slice(0, mostServers), search, ndots }
}

/** A search domain of `.` adds nothing to a name. */
const withoutDots = (domain: string): string => domain.replace(/^\.+|\.+$/g, '').toLowerCase()

/**
 * The full names that a name may stand for, in the order in which they are asked for. One that ends with a
 * dot is full. A name with enough dots is taken as it is first; others, such as a service's of Kubernetes,
 * are looked for in each domain before.
 */
export const fullNames = (name: string, { search, ndots }: ResolverSettings): readonly string[] => {
  const bare = name.replace(/\.$/, '')
  if (name.endsWith('.')) return [bare]
  const dots = bare.split('.').length - 1
  const searched = search.map(domain => `${bare}.${domain}`)
  return dots >= ndots ? [bare, ...searched] : [...searched, bare]
}
