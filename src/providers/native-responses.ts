import { byName, type Edit, elementsIn, removing, stringAt } from '../json/edits.ts'
import { membersOf, type Span } from '../json/members.ts'
import { isForeignReasoning } from './formats/openai-responses-reasoning.ts'

/** What any of the repairs would look for; most bodies have none of it and are not looked through. */
const suspects = /"extra_content"\s*:|"baton-/

/**
 * A request of Responses as OpenAI itself takes it, every other byte as it was: without what answers of other vendors' models have
 * left in its items, their reasoning and the signatures of their calls.
 */
export const responsesEdits = (text: string): Edit[] => {
  if (!suspects.test(text)) return []
  const input = byName(text, 0).get('input')
  const items = elementsIn(text, byName(text, 0), 'input')
  const isForeign = (item: Span): boolean => {
    const encrypted = byName(text, item.start).get('encrypted_content')
    return encrypted !== undefined && isForeignReasoning(stringAt(text, encrypted))
  }
  const foreign = new Set(items.filter(isForeign))
  return [
    ...(input ? removing(text, input.start, items, item => foreign.has(item)) : []),
    ...items
      .filter(item => !foreign.has(item))
      .flatMap(({ start }) =>
        removing(text, start, [...membersOf(text, start)], ({ name }) => name === 'extra_content'),
      ),
  ]
}
