import { byName, type Edit, elementsIn, isNull, removing, replacing, stringAt } from '../json/edits.ts'
import { type Member, membersOf } from '../json/members.ts'
import { unsigned } from './formats/earlier-reasoning.ts'
import { officialMediaType } from './formats/media-types.ts'
import { wordIds } from './formats/supported.ts'
import { ToolCallIds } from './formats/tool-call-ids.ts'

type Members = ReadonlyMap<string, Member>

/** Objects of a request in which Anthropic refuses a null, where its clients mean that nothing is said. */
const settings = ['tool_choice', 'metadata', 'thinking', 'output_config']

const withoutNulls = (text: string, start: number): Edit[] =>
  removing(text, start, [...membersOf(text, start)], member => isNull(text, member))

/** Whose reasoning was never signed: another model's, which Anthropic would take for forged. */
const isUnsigned = (text: string, start: number): boolean => {
  const signature = byName(text, start).get('signature')
  return signature !== undefined && stringAt(text, signature) === unsigned
}

const mediaTypeIn = (text: string, block: Members): Edit[] => {
  const source = block.get('source')
  const type = source && byName(text, source.start).get('media_type')
  const written = type && stringAt(text, type)
  if (!type || !written || officialMediaType(written) === written) return []
  return [replacing(type, officialMediaType(written))]
}

const idIn = (text: string, block: Members, ids: ToolCallIds): Edit[] => {
  const kind = block.get('type')
  const type = kind && stringAt(text, kind)
  const member = block.get(type === 'tool_use' ? 'id' : 'tool_use_id')
  const id = member && stringAt(text, member)
  if (!member || !id || (type !== 'tool_use' && type !== 'tool_result')) return []
  const fitting = type === 'tool_use' ? ids.call(id) : ids.result(id)
  return fitting === id ? [] : [replacing(member, fitting)]
}

const blockEdits = (text: string, start: number, ids: ToolCallIds): Edit[] => {
  const block = byName(text, start)
  return [
    ...withoutNulls(text, start),
    ...mediaTypeIn(text, block),
    ...idIn(text, block, ids),
    ...elementsIn(text, block, 'content').flatMap(part => mediaTypeIn(text, byName(text, part.start))),
  ]
}

const messageEdits = (text: string, start: number, ids: ToolCallIds): Edit[] => {
  const message = byName(text, start)
  const blocks = elementsIn(text, message, 'content')
  const unwanted = new Set(blocks.filter(block => isUnsigned(text, block.start)))
  return [
    ...withoutNulls(text, start),
    ...removing(text, message.get('content')?.start ?? start, blocks, block => unwanted.has(block)),
    ...blocks.filter(block => !unwanted.has(block)).flatMap(block => blockEdits(text, block.start, ids)),
  ]
}

const limitEdit = (text: string, body: Members, limit: number): Edit[] => {
  const given = body.get('max_tokens')
  // What is no object is for the provider to judge.
  if ((given && !isNull(text, given)) || !/^\s*\{/.test(text)) return []
  const start = text.indexOf('{') + 1
  const others = [...body.values()].some(member => !isNull(text, member))
  return [{ start, end: start, text: `"max_tokens":${limit}${others ? ',' : ''}` }]
}

/** What any of the repairs would look for; most bodies have none of it and are not looked through. */
const suspects = new RegExp(
  [
    'null',
    unsigned,
    // Ids with other characters, or very long ones; media types by other names.
    String.raw`"(?:tool_use_)?id"\s*:\s*"(?![\w-]{1,64}")`,
    String.raw`"media_type"\s*:\s*"(?!image/(?:jpeg|png|gif|webp)"|application/pdf"|text/plain")`,
  ].join('|'),
)

/**
 * A messages request as Anthropic itself takes it, every other byte as it was: with the limit of length that it demands, without
 * nulls, with proper media types and ids, and without reasoning that it has not signed.
 */
export const messagesEdits = (text: string, limit: number): Edit[] => {
  const body = byName(text, 0)
  const edits = limitEdit(text, body, limit)
  if (!suspects.test(text)) return edits
  const ids = new ToolCallIds(wordIds)
  return [
    ...edits,
    ...withoutNulls(text, 0),
    ...settings.flatMap(name => {
      const member = body.get(name)
      return member && !isNull(text, member) ? withoutNulls(text, member.start) : []
    }),
    ...elementsIn(text, body, 'tools').flatMap(tool => withoutNulls(text, tool.start)),
    ...elementsIn(text, body, 'messages').flatMap(message => messageEdits(text, message.start, ids)),
  ]
}
