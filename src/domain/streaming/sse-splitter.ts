import type { SseEvent } from './sse-event.ts'

/** How an event stream ends its lines; they may be mixed. */
const lineEnd = /\r\n?|\n/

/** Fields about the connection to the provider: a client would take them for those of its own. */
const ofConnection = /^(?:id|retry)(?::|$)/

/**
 * Cuts the text of an event stream into events as it comes, as the HTML standard reads it ("Interpreting an event stream").
 * Each character is looked at once, however long an event is.
 *
 * Bytes are decoded by the caller, with one `TextDecoder` for the whole stream (`decode(bytes, { stream: true })`): a chunk may
 * end within a character.
 */
export class SseSplitter {
  /** What came of a line without an end. Pieces: a text that grew would be copied for every search. */
  #pieces: string[] = []
  /** The lines of an event without an end. */
  #lines: string[] = []
  #isAtStart = true
  /** A LF that comes next ends no other line. */
  #isAfterCr = false

  /** The events that end in this text. */
  push(text: string): SseEvent[] {
    if (text === '') return []
    const lines = this.#continued(text).split(text.includes('\r') ? lineEnd : '\n')
    this.#isAfterCr = text.endsWith('\r')
    const rest = lines.pop()!
    const events: SseEvent[] = []
    for (const line of lines) {
      const event = this.#endLine(line)
      if (event !== null) events.push(event)
    }
    if (rest !== '') this.#pieces.push(rest)
    return events
  }

  /** The event that the stream ended in, if any: some providers leave out the last blank line. It may be cut off anywhere. */
  end(): SseEvent[] {
    return [this.#endLine(''), this.#endLine('')].filter(event => event !== null)
  }

  #continued(text: string): string {
    const isSplitEnd = this.#isAfterCr && text.startsWith('\n')
    const hasMark = this.#isAtStart && text.startsWith('\ufeff')
    this.#isAtStart = false
    return isSplitEnd || hasMark ? text.slice(1) : text
  }

  #endLine(last: string): SseEvent | null {
    const line = this.#pieces.length === 0 ? last : this.#pieces.join('') + last
    this.#pieces = []
    if (line !== '') {
      if (!ofConnection.test(line)) this.#lines.push(line)
      return null
    }
    if (this.#lines.length === 0) return null
    const event = eventOf(this.#lines)
    this.#lines = []
    return event
  }
}

const eventOf = (lines: readonly string[]): SseEvent => {
  let name: string | null = null
  let data: string | null = null
  for (const line of lines) {
    const value = fieldOf(line, 'data')
    if (value !== null) data = data === null ? value : `${data}\n${value}`
    else name = fieldOf(line, 'event') ?? name
  }
  return { raw: `${lines.join('\n')}\n\n`, name: name === '' ? null : name, data }
}

/** The value of a line that has this field; null when it has another. */
const fieldOf = (line: string, field: string): string | null => {
  if (!line.startsWith(field)) return null
  if (line.length === field.length) return ''
  if (line.charAt(field.length) !== ':') return null
  return line.slice(field.length + (line.charAt(field.length + 1) === ' ' ? 2 : 1))
}
