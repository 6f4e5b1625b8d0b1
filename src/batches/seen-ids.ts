import { createHash } from 'node:crypto'

/** As long as a digest in hex, so that no id that is kept as it is can look like one. */
const digestLength = 64

/**
 * Which line each custom id was first seen in. Exact: an id too long to be kept is known by its SHA-256, so that
 * each takes a bounded amount of memory.
 */
export class SeenIds {
  readonly #lines = new Map<string, number>()

  /** The line that has this id already; null when this is the first, which is remembered. */
  earlier(id: string, line: number): number | null {
    const key = id.length < digestLength ? id : digestOf(id)
    const earlier = this.#lines.get(key)
    if (earlier !== undefined) return earlier
    this.#lines.set(key, line)
    return null
  }
}

// As UTF-16: in UTF-8 every lone surrogate would be the same U+FFFD.
const digestOf = (id: string): string => createHash('sha256').update(id, 'utf16le').digest('hex')
