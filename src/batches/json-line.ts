import { isUtf8 } from 'node:buffer'
import { isJsonObject, type JsonObject } from '../json/json-object.ts'
import type { LineFault } from './line-fault.ts'
import type { InputLine } from './read-lines.ts'

export interface JsonLine {
  readonly text: string
  readonly json: JsonObject
}

/** Deeper than any request is; what comes after may walk it by recursion. */
export const deepestBody = 1_000

const notJson = 'This line is not parseable as valid JSON.'

/** A line as the JSON object it must be. */
export const readJsonLine = ({ bytes, number }: InputLine): JsonLine | LineFault => {
  const fault = (code: 'invalid_json_line' | 'invalid_request', message: string): LineFault => ({
    code,
    message,
    param: null,
    line: number,
  })
  if (bytes === null) {
    return fault('invalid_request', 'This line is longer than `batches.max_line_bytes` of this server.')
  }
  // Decoding would put U+FFFD for what is wrong, and the request would be another one.
  if (!isUtf8(bytes)) return fault('invalid_json_line', `${notJson} It is not valid UTF-8.`)
  const text = bytes.toString()
  const json = parse(text)
  if (json === undefined) return fault('invalid_json_line', notJson)
  return isJsonObject(json) ? { text, json } : fault('invalid_request', 'This line is not a JSON object.')
}

/** The engine's own message quotes the text, so it goes no further. */
const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
