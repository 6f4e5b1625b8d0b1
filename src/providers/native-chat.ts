import { byName, type Edit, elementsIn, removing, replacing, stringAt } from '../json/edits.ts'
import { type Member, membersOf } from '../json/members.ts'
import { openaiIds } from './formats/supported.ts'
import { ToolCallIds } from './formats/tool-call-ids.ts'

type Members = ReadonlyMap<string, Member>

/** What other models leave in their turns, and OpenAI refuses as unknown. */
const foreign = ['reasoning_content', 'reasoning', 'reasoning_details', 'thinking_blocks']

const withoutForeign = (text: string, start: number, names: readonly string[]): Edit[] =>
  removing(text, start, [...membersOf(text, start)], ({ name }) => names.includes(name))

const renamed = (text: string, member: Member | undefined, fitted: (id: string) => string): Edit[] => {
  const id = member && stringAt(text, member)
  if (!member || !id) return []
  const fitting = fitted(id)
  return fitting === id ? [] : [replacing(member, fitting)]
}

const callEdits = (text: string, start: number, ids: ToolCallIds): Edit[] => [
  ...withoutForeign(text, start, ['extra_content']),
  ...renamed(text, byName(text, start).get('id'), id => ids.call(id)),
]

const messageEdits = (text: string, start: number, ids: ToolCallIds): Edit[] => {
  const message: Members = byName(text, start)
  return [
    ...withoutForeign(text, start, foreign),
    ...elementsIn(text, message, 'tool_calls').flatMap(call => callEdits(text, call.start, ids)),
    ...renamed(text, message.get('tool_call_id'), id => ids.result(id)),
  ]
}

/** What any of the repairs would look for; most bodies have none of it and are not looked through. */
const suspects =
  /"(?:reasoning_content|reasoning|reasoning_details|thinking_blocks|extra_content)"\s*:|"(?:tool_call_)?id"\s*:\s*"(?![^"]{1,40}")/

/**
 * A chat as OpenAI itself takes it, every other byte as it was: without the reasoning of other vendors' models, and with ids of
 * calls that are no longer than its own may be.
 */
export const chatEdits = (text: string): Edit[] => {
  if (!suspects.test(text)) return []
  const ids = new ToolCallIds(openaiIds)
  return elementsIn(text, byName(text, 0), 'messages').flatMap(message =>
    messageEdits(text, message.start, ids),
  )
}
