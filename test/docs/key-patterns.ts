/** A key with `*` in the place of what varies: `{*}:j:*`. */
export const normalKey = (key: string): string =>
  key
    .replace(/\[[^\]]*\]/g, '*')
    .replace(/<[^>]*>/g, '*')
    .replace(/\*+/g, '*')
    // The cache builds its six kinds of keys from one base, and the mirror its three.
    .replace(/^(\{\*\}:c)\w:\*$/, '$1')
    .replace(/^(\{mirror\}:)\w+:\*$/, '$1*:*')

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

interface KeyRow {
  readonly pattern: string
  readonly type: string
}

/** A row's key as an expression: `<job>` stands for anything, `[:<tenant>]` may be absent. */
const expressionOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[{}.]/g, '\\$&')
      .replace(/\[([^\]]*)\]/g, '(?:$1)?')
      .replace('<shard>', '\\d+')
      .replace(/<[^>]*>/g, '.+')}$`,
  )

/** The row of a key: of all that fit, the one that leaves the least open. */
export const rowOf = (key: string, rows: readonly KeyRow[]): KeyRow | undefined =>
  rows
    .filter(({ pattern }) => expressionOf(pattern).test(key))
    .toSorted(
      (a, b) => b.pattern.replace(/<[^>]*>/g, '').length - a.pattern.replace(/<[^>]*>/g, '').length,
    )[0]
