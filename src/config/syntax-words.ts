import type { ErrorCode } from 'yaml'

/** What to do about what the parser finds wrong, where its own words name only itself. */
const remedies: Readonly<Partial<Record<ErrorCode, string>>> = {
  TAB_AS_INDENT: 'a tab indents this line, which YAML does not take: use spaces',
  DUPLICATE_KEY: 'this name stands twice in its table: keep one',
  MULTIPLE_DOCS: 'a second document begins here (---): a config is one',
  BAD_INDENT: 'this line is indented otherwise than those that it belongs to',
  BLOCK_IN_FLOW: 'a colon and a space begin a table here: put quotes around a value that has them',
}

/** A name that begins with a star and is not quoted refers to an anchor. */
const isStar = (line: string): boolean => /(?:^|[\s{,])\*(?:\/|\s*[:,}]|\s*$)/.test(line)

/** Says what is wrong in a line of a config without quoting it: it may hold a key. */
export const syntaxMessage = (code: ErrorCode, message: string, line: string): string => {
  if (isStar(line)) return 'a star refers to an anchor in YAML: put quotes around it, as in "*"'
  // What follows the colon is a piece of the file.
  return remedies[code] ?? message.replace(/: .*$/s, '')
}

/** What a file is that is no YAML, from its look; null for what may be YAML. */
export const otherFormat = (text: string): string | null => {
  const lines = text.split(/\r?\n/).filter(line => line.trim() !== '' && !line.trimStart().startsWith('#'))
  if (lines.length === 0) return null
  if (
    lines.some(line => /^\s*\[\[?[\w."-]+\]\]?\s*$/.test(line)) &&
    lines.some(line => /^\s*[\w."-]+\s*=/.test(line))
  )
    return 'this looks like TOML: a config is YAML (or JSON), as baton.example.yaml'
  if (lines.every(line => /^\s*(?:export\s+)?[A-Za-z_][\w.]*\s*=/.test(line)))
    return 'this looks like a list of variables: those stand in .env beside baton.yaml, and a config is YAML, as baton.example.yaml'
  return null
}
