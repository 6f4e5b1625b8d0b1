/** Deeper ones are not worth the stack. */
const maxDepth = 200

const space = /[\t\n\r ]*/y
/** A number, `true`, `false` or `null`. */
const word = /[^\t\n\r ,\]}]+/y

/**
 * Writes a JSON text so that two texts come out alike exactly when they mean the same: without insignificant whitespace,
 * members in the order of their names, strings escaped in one way. Numbers stay as they are written: as doubles, long
 * ones that differ would become one. Members of the outermost object that `leaveOut` names are dropped; a name that comes
 * twice stays twice, for who knows which of them a provider takes.
 *
 * Null for a text that is no JSON or is nested too deeply, and for an object with a member that `refuse` names, unless that
 * is null or false.
 */
export const canonicalJson = (text: string, leaveOut: Names = none, refuse: Names = none): string | null => {
  if (!isJson(text)) return null
  const reader = new Reader(text)
  const canonical = reader.value(0, leaveOut, refuse)
  return reader.isRefused ? null : canonical
}

/** What a reader that trusts its text would pass over might be what tells two texts apart. */
const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

type Names = ReadonlySet<string>
const none: Names = new Set()

/** Of a text that is JSON. */
class Reader {
  isRefused = false
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number, leaveOut = none, refuse = none): string {
    if (depth > maxDepth) this.isRefused = true
    if (this.isRefused) return ''
    this.#match(space)
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth, leaveOut, refuse)
      case '[':
        return `[${this.#items(']', () => this.value(depth + 1)).join(',')}]`
      case '"':
        return this.#string()
      default:
        return this.#match(word)
    }
  }

  #object(depth: number, leaveOut: Names, refuse: Names): string {
    const members = this.#items('}', () => {
      const name = this.#string()
      this.#match(space)
      this.#at += 1 // the colon
      const value = this.value(depth + 1)
      if (refuse.has(name.slice(1, -1)) && value !== 'null' && value !== 'false') this.isRefused = true
      return { name, value }
    })
    const kept = members.filter(({ name }) => !leaveOut.has(name.slice(1, -1)))
    // Sorting is stable: members of one name stay in their order.
    kept.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    return `{${kept.map(({ name, value }) => `${name}:${value}`).join(',')}}`
  }

  /** What stands between the bracket here and the one that closes it, with commas between. */
  #items<Item>(end: string, read: () => Item): Item[] {
    const items: Item[] = []
    this.#at += 1
    this.#match(space)
    while (!this.isRefused && this.#text[this.#at] !== end) {
      items.push(read())
      this.#match(space)
      if (this.#text[this.#at] === ',') this.#at += 1
      this.#match(space)
    }
    this.#at += 1
    return items
  }

  #string(): string {
    const from = this.#at
    do this.#at = this.#text.indexOf('"', this.#at + 1)
    while (this.#isEscaped(from))
    this.#at += 1
    const written = this.#text.slice(from, this.#at)
    return written.includes('\\') ? JSON.stringify(JSON.parse(written)) : written
  }

  #isEscaped(from: number): boolean {
    let backslashes = 0
    while (this.#text[this.#at - 1 - backslashes] === '\\' && this.#at - 1 - backslashes > from) backslashes++
    return backslashes % 2 === 1
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }
}
