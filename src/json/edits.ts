import { elementsOf, type Member, membersOf, type Span } from './members.ts'

/** A piece of a JSON text that is replaced; what stands around it keeps every byte. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** The text with the edits made, which may come in any order and must not overlap. */
export const withEdits = (text: string, edits: readonly Edit[]): string => {
  if (edits.length === 0) return text
  let made = ''
  let copied = 0
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    made += text.slice(copied, edit.start) + edit.text
    copied = edit.end
  }
  return made + text.slice(copied)
}

/** Puts `value` in the place of what stands there. */
export const replacing = ({ start, end }: Span, value: unknown): Edit => ({
  start,
  end,
  text: JSON.stringify(value),
})

/**
 * Takes items out of the object or array whose bracket is at `open`, with the commas that parted them from
 * the others. `items` are all of it, in order.
 */
export const removing = <Item extends Span>(
  text: string,
  open: number,
  items: readonly Item[],
  isUnwanted: (item: Item) => boolean,
): Edit[] => {
  const bracket = text.slice(open).search(/[{[]/) + open + 1
  const behind = (index: number): number => (index < 0 ? bracket : items[index]!.end)
  const firstKept = items.findIndex(item => !isUnwanted(item))
  if (firstKept < 0)
    return items.length === 0 ? [] : [{ start: bracket, end: behind(items.length - 1), text: '' }]
  const before = behind(firstKept - 1)
  const edits: Edit[] =
    firstKept === 0 ? [] : [{ start: bracket, end: text.indexOf(',', before) + 1, text: '' }]
  for (const [index, item] of items.entries()) {
    if (index > firstKept && isUnwanted(item))
      edits.push({ start: behind(index - 1), end: item.end, text: '' })
  }
  return edits
}

export const isNull = (text: string, { start, end }: Span): boolean =>
  end - start <= 8 && text.slice(start, end).trim() === 'null'

/** The string that stands there; null where something else does. */
export const stringAt = (text: string, { start, end }: Span): string | null => {
  const written = text.slice(start, end).trim()
  if (!written.startsWith('"')) return null
  try {
    return JSON.parse(written) as string
  } catch {
    return null
  }
}

/** The members of the object at `start`, by name; of two of one name the last, as JSON.parse has it. */
export const byName = (text: string, start: number): ReadonlyMap<string, Member> =>
  new Map([...membersOf(text, start)].map(member => [member.name, member]))

/** The elements of the array that is a member of that name; none where there is no such array. */
export const elementsIn = (text: string, members: ReadonlyMap<string, Member>, name: string): Span[] => {
  const member = members.get(name)
  return member ? [...elementsOf(text, member.start)] : []
}
