/** A key with `*` in the place of what varies: `{*}:j:*`. */
export const normalKey = (key: string): string =>
  key
    .replace(/<[^>]*>/g, '*')
    .replace(/\*[-*]*\*/g, '*')
    // Dead letters: all of a kind, or those of a tenant.
    .replace(/(:dead:\*):\*$/, '$1')
    // The cache builds its six kinds of keys from one base, and the mirror its three.
    .replace(/^(\{\*\}:c)\w:\*$/, '$1')
    .replace(/^(\{mirror\}:)\w+:\*$/, '$1*:*')
    // What belongs to a ready list begins like it.
    .replace(/^(\{\*\}:ready):.*$/, '$1')

/** What stands in a template from its backtick on, with `*` for each value that it takes. */
const patternAt = (source: string, start: number): string => {
  let pattern = ''
  let depth = 0
  for (let at = start; at < source.length; at++) {
    const sign = source[at]!
    if (depth === 0) {
      if (sign === '`') break
      if (source.startsWith('${', at)) {
        depth = 1
        pattern += '*'
        at += 1
      } else pattern += sign
    } else if (sign === '{') depth += 1
    else if (sign === '}') depth -= 1
  }
  return pattern
}

/** The keys and channels that a file builds: its templates that begin with the prefix. */
export const keyPatternsOf = (source: string): string[] =>
  [...source.matchAll(/`\$\{(?:keys\.)?prefix\}:/g)].map(match =>
    normalKey(patternAt(source, match.index + match[0].length)),
  )

/** One kind of key that Baton keeps in Redis, as a table says: `{<shard>}:j:<job>`, a `hash`. */
export interface KeyKind {
  readonly pattern: string
  readonly type: string
}

/** A name in angle brackets stands for anything but a colon; the last one of a key, for anything. */
const matcher = ({ pattern }: KeyKind): RegExp => {
  const text = pattern
    .replace(/[{}]/g, '\\$&')
    .replaceAll('<shard>', '(?:1[0-5]|[0-9])')
    .replace(/<\w+>$/, '.+')
    .replace(/<\w+>/g, '[^:]+')
  return new RegExp(`^${text}$`)
}

const literal = ({ pattern }: KeyKind): string => pattern.replace(/<\w+>/g, '')

/** The kind of a key: of those that it may be of, the one that says most of its name. */
export const kindOf = (name: string, kinds: readonly KeyKind[]): KeyKind | undefined =>
  kinds.filter(kind => matcher(kind).test(name)).toSorted((a, b) => literal(b).length - literal(a).length)[0]
