import { JsonCursor } from './cursor.ts'
import { elementsOf, membersOf } from './members.ts'

/** Names of members from the outermost object inwards; `*` stands for every element of an array. */
export type JsonPath = readonly string[]

interface Place {
  isWanted: boolean
  readonly inner: Map<string, Place>
}

const placesOf = (paths: readonly JsonPath[]): Place => {
  const root: Place = { isWanted: false, inner: new Map() }
  for (const path of paths) {
    let place = root
    for (const name of path) {
      const next = place.inner.get(name) ?? { isWanted: false, inner: new Map() }
      place.inner.set(name, next)
      place = next
    }
    place.isWanted = true
  }
  return root
}

export interface FoundValue {
  readonly start: number
  readonly end: number
}

function* found(text: string, at: number, place: Place): Generator<FoundValue, void> {
  const each = place.inner.get('*')
  if (each !== undefined) {
    for (const element of elementsOf(text, at)) yield* foundAt(text, element, each)
  }
  for (const member of membersOf(text, at)) {
    const inner = place.inner.get(member.name)
    if (inner !== undefined) yield* foundAt(text, member, inner)
  }
}

const foundAt = (text: string, value: FoundValue, place: Place): Iterable<FoundValue> =>
  place.isWanted ? [value] : found(text, value.start, place)

/** The name may be written with an escape, and is then looked for all the same. */
const mayHave = (text: string, path: JsonPath): boolean =>
  text.includes(`"${path.at(-1)}"`) || text.includes('\\u')

/** Where the values at `paths` stand, in their order. A text without any of the names is not scanned. */
export const valuesAt = (text: string, paths: readonly JsonPath[]): readonly FoundValue[] => {
  const likely = paths.filter(path => mayHave(text, path))
  return likely.length === 0 ? [] : [...found(text, 0, placesOf(likely))]
}

/** Where the numbers stand within a value, however deep it is. */
export function* numbersIn(text: string, { start, end }: FoundValue): Generator<FoundValue, void> {
  const cursor = new JsonCursor(text, start)
  for (let next = cursor.next(); cursor.at < end; next = cursor.next()) {
    const { at } = cursor
    if (next === '"') cursor.string()
    else if (cursor.word() === '') cursor.at += 1
    else if (/[-0-9]/.test(next)) yield { start: at, end: cursor.at }
  }
}
