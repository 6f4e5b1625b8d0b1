import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import { type ThinkingBlock, unsigned } from './earlier-reasoning.ts'

/**
 * Stands in `encrypted_content`, where OpenAI has what only it can read: a later turn brings it back to the model that signed the
 * reasoning. OpenAI would refuse it, so that such items are never sent there.
 */
const marks = { signed: 'baton-signed.', redacted: 'baton-redacted.' } as const

/** Whether reasoning is not of OpenAI's models. */
export const isForeignReasoning = (encrypted: unknown): boolean =>
  typeof encrypted === 'string' &&
  (encrypted === unsigned || Object.values(marks).some(mark => encrypted.startsWith(mark)))

const textsIn = (parts: unknown): string =>
  (Array.isArray(parts) ? parts.filter(isJsonObject) : [])
    .map(({ text }) => (typeof text === 'string' ? text : ''))
    .join('\n')

/** What an item of reasoning in a request says, as a block that models of other vendors know. */
export const blockOfReasoning = ({
  summary,
  content,
  encrypted_content: encrypted,
}: JsonObject): ThinkingBlock => {
  const word = typeof encrypted === 'string' ? encrypted : ''
  if (word.startsWith(marks.redacted))
    return { type: 'redacted_thinking', data: word.slice(marks.redacted.length) }
  const signature = word.startsWith(marks.signed) ? word.slice(marks.signed.length) : unsigned
  return { type: 'thinking', thinking: textsIn(content) || textsIn(summary), signature }
}

/** The members of an item of reasoning in an answer that come back with the next request. */
export const reasoningOfBlock = (block: ThinkingBlock) => {
  if (block.type === 'redacted_thinking') {
    return { summary: [], encrypted_content: marks.redacted + block.data }
  }
  const { thinking, signature } = block
  return {
    summary: thinking === '' ? [] : [{ type: 'summary_text' as const, text: thinking }],
    encrypted_content: signature === unsigned ? unsigned : marks.signed + signature,
  }
}
