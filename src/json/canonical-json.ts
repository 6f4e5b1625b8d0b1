import { JsonCursor, unquoted } from './cursor.ts'
import { isJson } from './json-object.ts'

/** Deeper ones are not worth the stack. */
const maxDepth = 200

/**
 * Writes a JSON text so that two texts come out alike exactly when they mean the same: without insignificant
 * whitespace, members in the order of their names, strings escaped in one way. Numbers stay as they are
 * written: as doubles, long ones that differ would become one. Members of the outermost object that
 * `leaveOut` names are dropped; a name that comes twice stays twice, as providers differ in which of them
 * they take.
 *
 * Null for a text that is no JSON or is nested too deeply, and for an object with a member that `refuse`
 * names, unless that is null or false.
 */
export const canonicalJson = (text: string, leaveOut: Names = none, refuse: Names = none): string | null => {
  // In a text that is not JSON, the cursor might pass over the very difference between two texts.
  if (!isJson(text)) return null
  const reader = new Reader(text)
  const canonical = reader.value(0, leaveOut, refuse)
  return reader.isRefused ? null : canonical
}

type Names = ReadonlySet<string>
const none: Names = new Set()

/** Reads a text that is known to be JSON. */
class Reader {
  isRefused = false
  readonly #cursor: JsonCursor

  constructor(text: string) {
    this.#cursor = new JsonCursor(text)
  }

  value(depth: number, leaveOut = none, refuse = none): string {
    if (depth > maxDepth) this.isRefused = true
    if (this.isRefused) return ''
    switch (this.#cursor.next()) {
      case '{':
        return this.#object(depth, leaveOut, refuse)
      case '[':
        return `[${this.#items(']', () => this.value(depth + 1)).join(',')}]`
      case '"':
        return this.#string()
      default:
        return this.#cursor.word()
    }
  }

  #object(depth: number, leaveOut: Names, refuse: Names): string {
    const members = this.#items('}', () => {
      const name = this.#string()
      this.#cursor.take(':')
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
    this.#cursor.at += 1
    while (!this.isRefused && !this.#cursor.take(end)) {
      items.push(read())
      this.#cursor.take(',')
    }
    return items
  }

  #string(): string {
    const written = this.#cursor.string()
    return written.includes('\\') ? JSON.stringify(unquoted(written)) : written
  }
}
