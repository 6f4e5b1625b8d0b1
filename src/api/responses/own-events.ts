import { withEdits } from '../../json/edits.ts'
import { isJsonObject } from '../../json/json-object.ts'
import { membersOf } from '../../json/members.ts'
import { asOurs } from './response-view.ts'

const blankLine = '\n\n'
const dataLine = /^data: ?(.*)$/m

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The data of an event, with the id that the client knows in the response that it holds. */
const underOurId = (data: string, id: string): string => {
  const edits = [...membersOf(data)]
    .filter(({ name }) => name === 'response')
    .map(({ start, end }) => ({ start, end, text: asOurs(data.slice(start, end), id) }))
  return withEdits(data, edits)
}

/**
 * Puts the events of a response in the background into the client's terms, whole events at a time: its own id, and only those that come
 * after the event with the number `after`.
 */
export const createOwnEvents = (id: string, after: number): ((bytes: Buffer) => string) => {
  let rest: Buffer = Buffer.alloc(0)

  const own = (event: string): string => {
    const data = dataLine.exec(event)?.[1]
    const body = data === undefined ? null : parsed(data)
    if (data === undefined || !isJsonObject(body)) return event
    if (typeof body.sequence_number === 'number' && body.sequence_number <= after) return ''
    return isJsonObject(body.response) ? event.replace(data, () => underOurId(data, id)) : event
  }

  return bytes => {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    let text = ''
    let at = 0
    for (let end = all.indexOf(blankLine); end !== -1; end = all.indexOf(blankLine, at)) {
      const next = end + blankLine.length
      text += own(all.toString('utf8', at, next))
      at = next
    }
    rest = all.subarray(at)
    return text
  }
}
