import type { JsonObject } from '../../json/json-object.ts'
import { asRecord } from '../classify/json-shape.ts'
import { eventText } from './sse-event.ts'

type Event = { readonly type: string } & JsonObject

/** The events of a response of OpenAI's, numbered, in the order in which its clients expect them. */
export const responseEvents = (answer: JsonObject): string => {
  const items = recordsIn(answer.output)
  const begun = {
    ...answer,
    status: 'in_progress',
    output: [],
    usage: null,
    incomplete_details: null,
    error: null,
  }
  const events: Event[] = [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    ...items.flatMap(itemEvents),
    { type: endOf(answer.status), response: answer },
  ]
  return events.map((event, number) => eventText({ ...event, sequence_number: number }, event.type)).join('')
}

const recordsIn = (list: unknown): readonly JsonObject[] =>
  (Array.isArray(list) ? list : []).map(asRecord).filter(item => item !== null)

/** A compatible server may give no status; an answer that came as one is complete. */
const endOf = (status: unknown): string => {
  if (status === 'incomplete') return 'response.incomplete'
  return status === 'failed' || status === 'cancelled' ? 'response.failed' : 'response.completed'
}

const itemEvents = (item: JsonObject, output_index: number): Event[] => {
  const at = { item_id: item.id, output_index }
  return [
    { type: 'response.output_item.added', output_index, item: begunItem(item) },
    ...(item.type === 'reasoning'
      ? recordsIn(item.summary).flatMap((part, i) => summaryEvents(part, i, at))
      : []),
    ...(item.type === 'message' || item.type === 'reasoning'
      ? recordsIn(item.content).flatMap((part, i) => partEvents(part, i, at))
      : []),
    ...inputEvents(item, at),
    { type: 'response.output_item.done', output_index, item },
  ]
}

/** An item's own text, and its events, by its type. */
const inputs: Readonly<Record<string, { readonly field: string; readonly event: string }>> = {
  function_call: { field: 'arguments', event: 'response.function_call_arguments' },
  mcp_call: { field: 'arguments', event: 'response.mcp_call_arguments' },
  custom_tool_call: { field: 'input', event: 'response.custom_tool_call_input' },
}

const begunItem = (item: JsonObject): JsonObject => {
  const begun: Record<string, unknown> = {
    ...item,
    ...(item.status !== undefined && { status: 'in_progress' }),
  }
  const input = inputs[String(item.type)]
  if (input !== undefined) begun[input.field] = ''
  if (item.type === 'message' || (item.type === 'reasoning' && item.content !== undefined)) begun.content = []
  if (item.type === 'reasoning') begun.summary = []
  return begun
}

type Place = { readonly item_id: unknown; readonly output_index: number }

const inputEvents = (item: JsonObject, at: Place): Event[] => {
  const input = inputs[String(item.type)]
  if (input === undefined) return []
  const { field, event } = input
  const name = item.type === 'function_call' && { name: item.name }
  return [
    { type: `${event}.delta`, ...at, delta: item[field] },
    { type: `${event}.done`, ...at, ...name, [field]: item[field] },
  ]
}

const summaryEvents = (part: JsonObject, summary_index: number, item: Place): Event[] => {
  const at = { ...item, summary_index }
  const { text } = part
  return [
    { type: 'response.reasoning_summary_part.added', ...at, part: { ...part, text: '' } },
    { type: 'response.reasoning_summary_text.delta', ...at, delta: text },
    { type: 'response.reasoning_summary_text.done', ...at, text },
    { type: 'response.reasoning_summary_part.done', ...at, part },
  ]
}

const partEvents = (part: JsonObject, content_index: number, item: Place): Event[] => {
  const at = { ...item, content_index }
  return [
    { type: 'response.content_part.added', ...at, part: begunPart(part) },
    ...textEvents(part, at),
    { type: 'response.content_part.done', ...at, part },
  ]
}

const begunPart = (part: JsonObject): JsonObject => {
  if (part.type === 'refusal') return { ...part, refusal: '' }
  if (part.type !== 'output_text') return { ...part, text: '' }
  const probabilities = part.logprobs !== undefined && { logprobs: [] }
  return { ...part, text: '', annotations: [], ...probabilities }
}

const textEvents = (part: JsonObject, at: Place & { readonly content_index: number }): Event[] => {
  const { type, text, refusal } = part
  if (type === 'refusal') {
    return [
      { type: 'response.refusal.delta', ...at, delta: refusal },
      { type: 'response.refusal.done', ...at, refusal },
    ]
  }
  if (type !== 'output_text') {
    return [
      { type: 'response.reasoning_text.delta', ...at, delta: text },
      { type: 'response.reasoning_text.done', ...at, text },
    ]
  }
  const logprobs = Array.isArray(part.logprobs) ? part.logprobs : []
  const annotations = Array.isArray(part.annotations) ? part.annotations : []
  return [
    { type: 'response.output_text.delta', ...at, delta: text, logprobs },
    ...annotations.map((annotation, annotation_index) => ({
      type: 'response.output_text.annotation.added',
      ...at,
      annotation_index,
      annotation,
    })),
    { type: 'response.output_text.done', ...at, text, logprobs },
  ]
}
