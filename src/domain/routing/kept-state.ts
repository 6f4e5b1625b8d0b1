import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import type { Endpoint } from '../endpoint.ts'

const recordsIn = (value: unknown): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isJsonObject) : []

/** What a request names that is kept at an account of its provider. */
export interface NamedState {
  /** The member of the request, for the error that the client gets. */
  readonly field: string
  readonly id: string
}

/** Where that is kept: `key` is the fingerprint of the account's key, null where it is not known. */
export interface Home {
  readonly provider: string
  readonly key: string | null
  /** The state's own id. It chooses among several keys, always the same one. */
  readonly id: string
  /** The id by which its client names it, where that is another. */
  readonly givenId?: string
}

/** Longer ones are no ids that any vendor gives. */
const longestId = 300

const named = (field: string, value: unknown): NamedState | null => {
  const id = isJsonObject(value) ? value.id : value
  return typeof id === 'string' && id !== '' ? { field, id: id.slice(0, longestId) } : null
}

const outer: Readonly<Record<Endpoint, readonly string[]>> = {
  '/v1/responses': ['previous_response_id', 'conversation', 'prompt'],
  '/v1/messages': ['container'],
  '/v1/chat/completions': [],
  '/v1/completions': [],
  '/v1/embeddings': [],
}

/** A part may name a file, or have it in a source of its own; a tool's result has parts. */
const fileIn = (part: JsonObject): NamedState | null => {
  for (const owner of [part, part.file, part.source].filter(isJsonObject)) {
    const file = named('file_id', owner.file_id)
    if (file !== null) return file
  }
  return firstOf(recordsIn(part.content), fileIn)
}

const firstOf = <Item>(
  items: readonly Item[],
  find: (item: Item) => NamedState | null,
): NamedState | null => {
  for (const item of items) {
    const found = find(item)
    if (found !== null) return found
  }
  return null
}

/** A file in a message, an item of an earlier response, or the sound of an earlier answer. */
const inMessage = (message: JsonObject): NamedState | null => {
  if (message.type === 'item_reference') return named('item_reference', message.id)
  return (
    firstOf(recordsIn(message.content), fileIn) ??
    named('audio', isJsonObject(message.audio) && message.audio)
  )
}

const inTool = ({ vector_store_ids: stores, container }: JsonObject): NamedState | null =>
  named('vector_store_ids', Array.isArray(stores) ? stores[0] : null) ??
  (typeof container === 'string' ? named('container', container) : null)

/** A request that names nested state contains one of these texts. */
const traces = ['"file_id"', '"item_reference"', '"vector_store_ids"', '"audio"', '"container"']

/**
 * The first state named in a request that exists only in the account that made it. `body` is the parsed
 * `text`. Arguments of tool calls are not searched: they are the client's own.
 */
export const stateNamed = (endpoint: Endpoint, body: unknown, text: string): NamedState | null => {
  if (!isJsonObject(body)) return null
  const found = firstOf(outer[endpoint], field => named(field, body[field]))
  if (found !== null || !traces.some(trace => text.includes(trace))) return found
  const messages = [...recordsIn(body.messages), ...recordsIn(body.input)]
  return firstOf(messages, inMessage) ?? firstOf(recordsIn(body.tools), inTool)
}

/** What an answer says that its account keeps from now on. */
export const statesMade = (endpoint: Endpoint, answer: unknown): readonly string[] => {
  if (!isJsonObject(answer)) return []
  const made =
    endpoint === '/v1/responses'
      ? [answer.store === false ? null : answer.id, answer.conversation]
      : endpoint === '/v1/messages'
        ? [answer.container]
        : endpoint === '/v1/chat/completions'
          ? recordsIn(answer.choices).map(({ message }) => isJsonObject(message) && message.audio)
          : []
  return made.flatMap(value => named('', value)?.id ?? [])
}
