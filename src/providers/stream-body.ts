import type { StreamedEndpoint } from '../domain/streaming/answer-fold.ts'
import { byName, type Edit, isNull, replacing, withEdits } from '../json/edits.ts'
import { type Member, membersOf } from '../json/members.ts'

/** A request that asks for a stream, and whether the client wants to see what was used. */
export interface StreamBody {
  readonly text: string
  readonly showsUsage: boolean
}

/** Only these tell what was used when asked; the others always do. */
const asksByOption: ReadonlySet<StreamedEndpoint> = new Set(['/v1/chat/completions', '/v1/completions'])

const isTrue = (text: string, { start, end }: Member): boolean => text.slice(start, end).trim() === 'true'

/** Members that are missing in an object, as they are written, and edits of those that are there. */
interface Changes {
  readonly missing: readonly string[]
  readonly edits: readonly Edit[]
}

const none: Changes = { missing: [], edits: [] }
const lacking = (member: string): Changes => ({ missing: [member], edits: [] })
const setting = (member: Member, value: unknown): Changes => ({
  missing: [],
  edits: [replacing(member, value)],
})

/** What is missing goes in front of the other members of the object at `open`. */
const editsOf = (text: string, open: number, { missing, edits }: Changes): readonly Edit[] => {
  if (missing.length === 0) return edits
  const start = text.indexOf('{', open) + 1
  const isEmpty = [...membersOf(text, open)].length === 0
  return [...edits, { start, end: start, text: missing.join(',') + (isEmpty ? '' : ',') }]
}

const streamChanges = (text: string, stream: Member | undefined): Changes => {
  if (stream === undefined) return lacking('"stream":true')
  return isTrue(text, stream) ? none : setting(stream, true)
}

/** Beside what the client set there, such as `include_obfuscation`. */
const usageChanges = (text: string, options: Member | undefined): Changes => {
  if (options === undefined) return lacking('"stream_options":{"include_usage":true}')
  if (isNull(text, options)) return setting(options, { include_usage: true })
  // What is no object is for the provider to judge.
  if (!/^\s*\{/.test(text.slice(options.start, options.end))) return none
  const told = byName(text, options.start).get('include_usage')
  if (told === undefined)
    return { missing: [], edits: editsOf(text, options.start, lacking('"include_usage":true')) }
  return isTrue(text, told) ? none : setting(told, true)
}

/**
 * The body as one that asks for a stream and, unless told otherwise, for its usage; every other byte as it was. A text that is no
 * JSON object comes back untouched; the provider may judge it.
 */
export const streamBodyOf = (text: string, endpoint: StreamedEndpoint, asksUsage = true): StreamBody => {
  if (!/^\s*\{/.test(text)) return { text, showsUsage: true }
  const members = byName(text, 0)
  const stream = streamChanges(text, members.get('stream'))
  const usage =
    asksUsage && asksByOption.has(endpoint) ? usageChanges(text, members.get('stream_options')) : none
  const changes = {
    missing: [...stream.missing, ...usage.missing],
    edits: [...stream.edits, ...usage.edits],
  }
  return { text: withEdits(text, editsOf(text, 0, changes)), showsUsage: usage === none }
}
