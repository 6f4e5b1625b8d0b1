import { JsonCursor, unquoted } from './cursor.ts'

/** Where a value stands in its text; the character at `end` is the first behind it. */
export interface Span {
  readonly start: number
  readonly end: number
  /** How many brackets are open at its deepest. */
  readonly depth: number
}

/** A member of an object, by its value. */
export interface Member extends Span {
  readonly name: string
}

const spanOf = (cursor: JsonCursor): Span => {
  cursor.next()
  const start = cursor.at
  const depth = cursor.skip()
  return { start, end: cursor.at, depth }
}

/**
 * The members of the object at `at`, in order; a name may come more than once, and then the last one counts,
 * as with JSON.parse. None where no object is.
 */
export function* membersOf(text: string, at = 0): Generator<Member, void> {
  const cursor = new JsonCursor(text, at)
  if (!cursor.take('{')) return
  while (cursor.next() === '"') {
    const name = unquoted(cursor.string())
    if (!cursor.take(':')) return
    yield { name, ...spanOf(cursor) }
    if (!cursor.take(',')) return
  }
}

/** The elements of the array at `at`, in order. None where no array is. */
export function* elementsOf(text: string, at = 0): Generator<Span, void> {
  const cursor = new JsonCursor(text, at)
  if (!cursor.take('[') || cursor.next() === ']') return
  do yield spanOf(cursor)
  while (cursor.take(','))
}

/** The text of one member of an object, as it is written. */
export interface MemberText {
  readonly text: string
  /** How many brackets are open at its deepest. */
  readonly depth: number
}

/**
 * The text of a member of the object that `json` is; null when it has none of that name.
 *
 * A request is passed on as a piece of the text it came in, not written anew: 12345678901234567890 and 1e400
 * would come out as other numbers, and very deep nesting, which JSON.parse takes, is too much for
 * JSON.stringify.
 */
export const memberText = (json: string, name: string): MemberText | null => {
  let found: Member | null = null
  for (const member of membersOf(json)) if (member.name === name) found = member
  return found && { text: json.slice(found.start, found.end), depth: found.depth }
}
