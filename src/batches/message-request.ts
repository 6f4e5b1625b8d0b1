import { isJsonObject } from '../json/json-object.ts'
import { invalidDocument, invalidJson } from './document-outline.ts'

const customIdPattern = /^[a-zA-Z0-9_-]{1,64}$/
const members = new Set(['custom_id', 'params'])

/**
 * The value whose bytes these are: UTF-8 for sure, but only their brackets were counted. Throws BatonError
 * `invalid_json`.
 */
export const parseSpan = (bytes: Buffer, start: number): unknown => {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    // The engine's own message quotes the text.
    throw invalidJson(`the value that begins at byte ${start} is none`)
  }
}

/**
 * The custom id of an element of `requests`. Its params are not judged here: Anthropic takes the batch and lets
 * that one request fail. Throws BatonError `invalid_request`, for which the whole batch is refused.
 */
export const customIdOf = (request: unknown, index: number): string => {
  const refuse = (name: string, why: string) => {
    const at = `requests.${index}.${name}`
    return invalidDocument(at, `${at}: ${why}`)
  }
  if (!isJsonObject(request))
    throw invalidDocument(`requests.${index}`, `requests.${index}: Input should be an object`)
  const extra = Object.keys(request).find(name => !members.has(name))
  if (extra !== undefined) throw refuse(extra.slice(0, 64), 'Extra inputs are not permitted')
  const { custom_id: customId, params } = request
  if (customId === undefined) throw refuse('custom_id', 'Field required')
  if (typeof customId !== 'string' || !customIdPattern.test(customId)) {
    throw refuse('custom_id', `String should match pattern '${customIdPattern.source}'`)
  }
  if (params === undefined) throw refuse('params', 'Field required')
  return customId
}

const newline = 0x0a
const carriageReturn = 0x0d
const space = 0x20

/** The same JSON on one line: outside of strings a newline is but white space, and inside one it cannot stand. */
export const onOneLine = (json: Buffer): Buffer => {
  if (!json.includes(newline) && !json.includes(carriageReturn)) return json
  const line = Buffer.from(json)
  for (const byte of [newline, carriageReturn]) {
    for (let at = line.indexOf(byte); at !== -1; at = line.indexOf(byte, at + 1)) line[at] = space
  }
  return line
}
