import type { JsonObject } from '../../json/json-object.ts'
import { memberText } from '../../json/members.ts'
import { asRecord } from '../classify/json-shape.ts'

/** A request's body: as text, or parsed. */
type Body = string | JsonObject

/** Whether a request asks for its answer as a stream. A long text without the name is not looked at closely. */
export const wantsStream = (body: Body): boolean =>
  typeof body === 'string' ? textOf(body, 'stream') === 'true' : body.stream === true

/** Whether a client of chat or completions asks for the chunk that tells what was used. */
export const asksForUsage = (body: Body): boolean => {
  if (typeof body !== 'string') return asRecord(body.stream_options)?.include_usage === true
  const options = textOf(body, 'stream_options')
  return options !== null && textOf(options, 'include_usage') === 'true'
}

/** A name may be written with an escape. */
const textOf = (json: string, name: string): string | null =>
  json.includes(`"${name}"`) || json.includes('\\u') ? (memberText(json, name)?.text ?? null) : null
