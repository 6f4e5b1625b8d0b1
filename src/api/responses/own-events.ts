import { type Edit, withEdits } from '../../json/edits.ts'
import { isJsonObject } from '../../json/json-object.ts'
import { JsonText, writeJson } from '../../json/json-text.ts'
import { membersOf } from '../../json/members.ts'
import { asOurs } from './response-view.ts'

const blankLine = '\n\n'
const dataLine = /^data: ?(.*)$/m

/** How every stream of a response in the background begins, whatever its provider says of it. */
const created = 0
const queued = 1
/** Whoever has this one needs nothing of the request. */
export const lastOfBeginning = 2
const firstOfAnswer = lastOfBeginning + 1

/** The events of a provider's stream that say the same, of a response that its client does not know. */
const ownBeginnings: ReadonlySet<unknown> = new Set([
  'response.created',
  'response.queued',
  'response.in_progress',
])

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** An event of Responses. `members`: may hold a JsonText. */
export const responseEvent = (type: string, members: object): string =>
  `event: ${type}\ndata: ${writeJson({ type, ...members })}${blankLine}`

/** The data of an event under its number, with the id that the client knows in the response that it holds. */
const inOurTerms = (data: string, id: string, number: number): string => {
  const edits: Edit[] = []
  let isNumbered = false
  for (const { name, start, end } of membersOf(data)) {
    if (name === 'response') edits.push({ start, end, text: asOurs(data.slice(start, end), id) })
    if (name !== 'sequence_number') continue
    isNumbered = true
    edits.push({ start, end, text: String(number) })
  }
  const open = data.indexOf('{') + 1
  if (!isNumbered) edits.push({ start: open, end: open, text: `"sequence_number":${number},` })
  return withEdits(data, edits)
}

/** The events of one response in the background, as one reader of its stream gets them. */
export interface OwnEvents {
  /** Whether anything of the provider's answer has come. */
  readonly hasPart: boolean
  /** What the stream begins with while the response waits. */
  accepted(): string
  /** That it is worked on; nothing where that has been said. */
  begun(): string
  /** The next bytes of the log, from its beginning on: those of its events that have come whole. */
  take(bytes: Buffer): string
  /**
   * Events that the log does not have, whole and the last ones. `isKept`: all events before them are known, so that a reader that has had
   * them can be told from one that has not.
   */
  last(events: string, isKept: boolean): string
}

interface OwnEventsOptions {
  readonly id: string
  /** The number of the last event that the reader has; -1 for none. */
  readonly after: number
  /** The response before its answer, as JSON text, in one of its first two states. Asked for only where the reader is to see it. */
  readonly early: (status: 'queued' | 'in_progress') => string
}

/**
 * Numbered by what is in the log, and not by the provider: so the numbers grow by one from the first event of the job to the last of its
 * answer, whichever provider gave that, and are the same for each reader.
 */
export const createOwnEvents = ({ id, after, early }: OwnEventsOptions): OwnEvents => {
  let rest: Buffer = Buffer.alloc(0)
  let hasBegun = false
  let next = firstOfAnswer

  const beginning = (type: string, number: number, status: 'queued' | 'in_progress'): string =>
    number <= after
      ? ''
      : responseEvent(type, { response: new JsonText(early(status)), sequence_number: number })

  const begun = (): string => {
    if (hasBegun) return ''
    hasBegun = true
    return beginning('response.in_progress', lastOfBeginning, 'in_progress')
  }

  const own = (event: string): string => {
    const data = dataLine.exec(event)?.[1]
    const body = data === undefined ? null : parsed(data)
    if (data === undefined || !isJsonObject(body)) return event
    if (ownBeginnings.has(body.type)) return ''
    const number = next++
    return number <= after ? '' : event.replace(data, () => inOurTerms(data, id, number))
  }

  const pass = (bytes: Buffer): string => {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    let text = ''
    let at = 0
    for (let end = all.indexOf(blankLine); end !== -1; end = all.indexOf(blankLine, at)) {
      const behind = end + blankLine.length
      text += own(all.toString('utf8', at, behind))
      at = behind
    }
    rest = all.subarray(at)
    return text
  }

  return {
    get hasPart() {
      return next > firstOfAnswer
    },
    accepted: () =>
      beginning('response.created', created, 'queued') + beginning('response.queued', queued, 'queued'),
    begun,
    take: bytes => begun() + pass(bytes),
    last: (events, isKept) => {
      rest = Buffer.alloc(0)
      if (!isKept) next = Math.max(next, after + 1)
      return pass(Buffer.from(events))
    },
  }
}
