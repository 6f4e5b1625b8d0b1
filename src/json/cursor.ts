const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

const endsWord = (code: number): boolean =>
  isSpace(code) ||
  code === 0x2c ||
  code === 0x3a ||
  code === quote ||
  code === openBrace ||
  code === closeBrace ||
  code === openBracket ||
  code === closeBracket

/**
 * A place in a JSON text, moved from token to token. It finds its way through what JSON.parse has taken,
 * without recursion, however deep that nests; it does not judge. On a text that is no JSON it stops
 * somewhere, and never beyond the end.
 */
export class JsonCursor {
  readonly text: string
  at: number

  constructor(text: string, at = 0) {
    this.text = text
    this.at = at
  }

  /** The next character but for white space, which is passed over; empty at the end. */
  next(): string {
    const { text } = this
    let { at } = this
    while (isSpace(text.charCodeAt(at))) at += 1
    this.at = at
    return text.charAt(at)
  }

  /** Passes over this character where it comes next. */
  take(character: string): boolean {
    if (this.next() !== character) return false
    this.at += 1
    return true
  }

  /** The string that begins here, with its quotes, as it is written. */
  string(): string {
    const start = this.at
    this.at = stringEnd(this.text, start)
    return this.text.slice(start, this.at)
  }

  /** The number, `true`, `false` or `null` here, as it is written. */
  word(): string {
    const start = this.at
    while (this.at < this.text.length && !endsWord(this.text.charCodeAt(this.at))) this.at += 1
    return this.text.slice(start, this.at)
  }

  /** Passes over the value that comes next; returns how many brackets are open at its deepest. */
  skip(): number {
    switch (this.next()) {
      case '"':
        this.at = stringEnd(this.text, this.at)
        return 0
      case '{':
      case '[':
        return this.#skipBrackets()
      default:
        this.word()
        return 0
    }
  }

  #skipBrackets(): number {
    const { text } = this
    let { at } = this
    let depth = 0
    let deepest = 0
    do {
      switch (text.charCodeAt(at)) {
        case quote:
          at = stringEnd(text, at)
          continue
        case openBrace:
        case openBracket:
          depth += 1
          if (depth > deepest) deepest = depth
          break
        case closeBrace:
        case closeBracket:
          depth -= 1
      }
      at += 1
    } while (depth > 0 && at < text.length)
    this.at = at
    return deepest
  }
}

/** Behind the string that begins at `start`. Most are long: looking for the end is left to `indexOf`. */
const stringEnd = (text: string, start: number): number => {
  let end = text.indexOf('"', start + 1)
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end < 0 ? text.length : end + 1
}

/** An odd number of backslashes before it. */
const isEscaped = (text: string, at: number): boolean => {
  let first = at
  while (text.charCodeAt(first - 1) === backslash) first -= 1
  return (at - first) % 2 === 1
}

/**
 * The value of a string literal, given with its quotes; one that cannot be parsed is only stripped of them.
 */
export const unquoted = (written: string): string => {
  if (!written.includes('\\')) return written.slice(1, -1)
  try {
    return JSON.parse(written) as string
  } catch {
    return written.slice(1, -1)
  }
}
