import type { JsonObject } from '../../json/json-object.ts'
import { asRecord, isFilledArray, isFilledText } from '../classify/json-shape.ts'

type Item = Record<string, unknown>

/** Where the text of a `….delta` and a `….done` belongs. */
interface Way {
  /** The type of an item that was not added. */
  readonly item: string
  /** The item's list of parts that the text is in, and the type of a part that was not added; none for the item's own text. */
  readonly list?: 'content' | 'summary'
  readonly part?: string
  readonly field: string
}

const ways: Readonly<Record<string, Way>> = {
  'response.output_text': { item: 'message', list: 'content', part: 'output_text', field: 'text' },
  'response.refusal': { item: 'message', list: 'content', part: 'refusal', field: 'refusal' },
  'response.reasoning_text': { item: 'reasoning', list: 'content', part: 'reasoning_text', field: 'text' },
  'response.reasoning_summary_text': {
    item: 'reasoning',
    list: 'summary',
    part: 'summary_text',
    field: 'text',
  },
  'response.function_call_arguments': { item: 'function_call', field: 'arguments' },
  'response.mcp_call_arguments': { item: 'mcp_call', field: 'arguments' },
  'response.custom_tool_call_input': { item: 'custom_tool_call', field: 'input' },
  'response.code_interpreter_call_code': { item: 'code_interpreter_call', field: 'code' },
}

/** The lists of parts that an event adds to, or says the last of. */
const partLists: Readonly<Record<string, 'content' | 'summary'>> = {
  'response.content_part': 'content',
  'response.reasoning_summary_part': 'summary',
}

/** The items of a response's output while they grow. */
export class ResponseItems {
  readonly #items = new Map<number, Item>()

  items(): Item[] {
    return [...this.#items.entries()].toSorted(([a], [b]) => a - b).map(([, item]) => item)
  }

  /** Returns whether the event says something: not if it is a refusal, or only makes room for what comes. */
  take(type: string, event: JsonObject): boolean {
    const [, subject = '', step] = /^(.+)\.(added|delta|done)$/.exec(type) ?? []
    if (subject === 'response.output_item') return this.#place(event)
    const list = partLists[subject]
    if (list !== undefined) return this.#placePart(list, event)
    const way = ways[subject]
    if (way !== undefined) return this.#grow(way, event, step === 'done')
    if (type === 'response.output_text.annotation.added') return this.#annotate(event)
    // Of items that come whole at their end, such as audio and images.
    return step === 'delta'
  }

  #place(event: JsonObject): boolean {
    const item = asRecord(event.item)
    if (item === null) return false
    this.#items.set(this.#indexOf(event), { ...item })
    return saysSomething(item)
  }

  #placePart(name: 'content' | 'summary', event: JsonObject): boolean {
    const part = asRecord(event.part)
    if (part === null) return false
    const item = this.#itemOf(event, name === 'summary' ? 'reasoning' : 'message')
    const parts = partsOf(item, name)
    parts[placeIn(parts, event)] = { ...part }
    return isFilledText(part.text)
  }

  #grow({ item: type, list, part, field }: Way, event: JsonObject, isWhole: boolean): boolean {
    const piece = isWhole ? event[field] : event.delta
    if (!isFilledText(piece)) return false
    const item = this.#itemOf(event, type)
    const holder = list === undefined ? item : partOf(partsOf(item, list), event, part!)
    const before = holder[field]
    holder[field] = isWhole || !isFilledText(before) ? piece : before + piece
    return part !== 'refusal'
  }

  #annotate(event: JsonObject): boolean {
    const parts = partsOf(this.#itemOf(event, 'message'), 'content')
    const part = partOf(parts, event, 'output_text')
    const known = Array.isArray(part.annotations) ? part.annotations : []
    part.annotations = [...known, event.annotation]
    return false
  }

  /** Some servers leave the index out, and name the item, or nothing. */
  #indexOf({ output_index, item_id }: JsonObject): number {
    if (typeof output_index === 'number') return output_index
    const named = [...this.#items].find(([, item]) => item_id !== undefined && item.id === item_id)
    return named?.[0] ?? Math.max(0, this.#items.size - 1)
  }

  #itemOf(event: JsonObject, type: string): Item {
    const index = this.#indexOf(event)
    const item = this.#items.get(index) ?? { type, ...(event.item_id !== undefined && { id: event.item_id }) }
    this.#items.set(index, item)
    return item
  }
}

/** The place that an event names, or the next one: lists have no holes. */
const placeIn = (parts: readonly Item[], { content_index, summary_index }: JsonObject): number => {
  const place = content_index ?? summary_index
  return typeof place === 'number' && place >= 0 ? Math.min(Math.trunc(place), parts.length) : 0
}

/** A copy at first: the event's own list stays as it is. */
const partsOf = (item: Item, name: 'content' | 'summary'): Item[] => {
  const parts = Array.isArray(item[name]) ? [...item[name]] : []
  item[name] = parts
  return parts
}

const partOf = (parts: Item[], event: JsonObject, type: string): Item => {
  const place = placeIn(parts, event)
  const part = { type, ...(asRecord(parts[place]) ?? {}) }
  parts[place] = part
  return part
}

/** A message and reasoning begin empty; every other item is a call, or what came of one. */
const saysSomething = ({ type, content, summary }: JsonObject): boolean => {
  if (type !== 'message' && type !== 'reasoning') return true
  const parts = [content, summary].filter(isFilledArray).flat()
  return parts.some(part => isFilledText(asRecord(part)?.text))
}
