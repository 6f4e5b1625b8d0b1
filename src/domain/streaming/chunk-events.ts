import type { JsonObject } from '../../json/json-object.ts'
import { asRecord, isFilledText } from '../classify/json-shape.ts'
import { doneText, eventText } from './sse-event.ts'

/** The chunks of a `chat.completion`. */
export const chatEvents = (answer: JsonObject, includeUsage: boolean): string =>
  chunkEvents(answer, includeUsage, 'chat.completion.chunk', choice =>
    deltasOf(asRecord(choice.message) ?? {}).map(delta => ({ delta })),
  )

/** The chunks of a `text_completion`. */
export const completionEvents = (answer: JsonObject, includeUsage: boolean): string =>
  chunkEvents(answer, includeUsage, 'text_completion', ({ text }) => [{ text }])

const chunkEvents = (
  answer: JsonObject,
  includeUsage: boolean,
  object: string,
  contentsOf: (choice: JsonObject) => readonly JsonObject[],
): string => {
  const { id, created, model, service_tier, system_fingerprint, choices, usage, object: _, ...more } = answer
  // OpenAI then names it in all chunks.
  const noUsage = includeUsage && { usage: null }
  const head = { id, object, created, model, service_tier, system_fingerprint, ...noUsage }
  const parts = (Array.isArray(choices) ? choices : [])
    .map(asRecord)
    .filter(choice => choice !== null)
    .flatMap(choice => choiceParts(choice, contentsOf))
    .map(part => [part])
  // What a vendor adds to the answer stands in the first chunk.
  const [first = [], ...rest] = parts
  const events = [eventText({ ...head, ...more, choices: first })]
  for (const part of rest) events.push(eventText({ ...head, choices: part }))
  if (includeUsage && asRecord(usage) !== null) events.push(eventText({ ...head, choices: [], usage }))
  return events.join('') + doneText
}

/** The chunks of one choice; the last has its finish, and the first with content the probabilities. */
const choiceParts = (
  choice: JsonObject,
  contentsOf: (choice: JsonObject) => readonly JsonObject[],
): readonly JsonObject[] => {
  const { index = 0, message, text, logprobs = null, finish_reason = null, ...more } = choice
  const contents = contentsOf(choice)
  const withProbabilities = Math.min(1, contents.length - 1)
  const end = message === undefined && text !== undefined ? { text: '' } : { delta: {} }
  return [
    ...contents.map((content, i) => ({
      index,
      ...content,
      logprobs: i === withProbabilities ? logprobs : null,
      finish_reason: null,
    })),
    { index, ...end, logprobs: null, finish_reason, ...more },
  ]
}

/** Members that come before the content, each in a delta of its own. */
const reasoning = ['reasoning_content', 'reasoning', 'reasoning_details']

/** The role first, as official clients expect it, with all that is null or not known to them. */
const deltasOf = (message: JsonObject): readonly JsonObject[] => {
  const { content, refusal, tool_calls, function_call, audio, ...more } = message
  const isText = isFilledText(content) || content === ''
  const first: Record<string, unknown> = { role: 'assistant', content: isText ? '' : null, ...more }
  if (refusal === null) first.refusal = null
  const deltas: JsonObject[] = [first]
  for (const name of reasoning) {
    if (more[name] === undefined || more[name] === null) continue
    delete first[name]
    deltas.push({ [name]: more[name] })
  }
  if (isFilledText(content) || Array.isArray(content)) deltas.push({ content })
  if (isFilledText(refusal)) deltas.push({ refusal })
  if (Array.isArray(tool_calls)) deltas.push(...tool_calls.map(callDelta))
  for (const [name, value] of Object.entries({ function_call, audio })) {
    if (value === null) first[name] = null
    else if (value !== undefined) deltas.push({ [name]: value })
  }
  return deltas
}

const callDelta = (call: unknown, index: number): JsonObject => ({
  tool_calls: [{ index, ...(asRecord(call) ?? {}) }],
})
