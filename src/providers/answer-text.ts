export interface AnswerText {
  readonly text: string
  /** Undefined when the text is not JSON. */
  readonly json: unknown
}

const byteOrderMarks: readonly (readonly [mark: Buffer, encoding: string])[] = [
  [Buffer.from([0xff, 0xfe]), 'utf-16le'],
  [Buffer.from([0xfe, 0xff]), 'utf-16be'],
]

/** Without a byte order mark, which clients' parsers do not forgive. */
const decodeText = (bytes: Buffer): string => {
  const marked = byteOrderMarks.find(([mark]) => mark.equals(bytes.subarray(0, 2)))
  if (marked) return new TextDecoder(marked[1]).decode(bytes)
  const text = bytes.toString()
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Comments and fields of an event stream, with which servers keep a connection alive until the answer is there. */
const lead = /^(?:\s*(?::[^\n]*|(?:id|retry):[^\n]*)\n)*\s*(?:data:)?/
const done = /(?:\s*data:\s*\[DONE\])+\s*$/
const padding = /^[\s\0\u{feff}]+|[\s\0]+$/gu

/** A whole answer, though written as the one event of a stream; a piece of a stream is none. */
const isWhole = (json: unknown): boolean =>
  typeof json === 'object' &&
  json !== null &&
  !('delta' in json) &&
  !('object' in json && /chunk$/.test(String(json.object)))

/** The text of an answer, and the JSON in it, also where a server wrote what belongs to streams around it. */
export const readAnswerText = (bytes: Buffer): AnswerText => {
  const text = decodeText(bytes)
  const json = parseJson(text)
  if (json !== undefined) return { text, json }
  const bare = text.replace(padding, '').replace(done, '').replace(lead, '').replace(padding, '')
  const inside = bare === text ? undefined : parseJson(bare)
  return isWhole(inside) ? { text: bare, json: inside } : { text, json: undefined }
}
