import { BatonError } from '../../domain/errors.ts'
import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import { ulidOf } from '../../redis/keys.ts'

export interface ItemPage {
  readonly limit: number
  readonly order: 'asc' | 'desc'
  /** The id of the item before the page; absent for the first page. */
  readonly after?: string | undefined
}

/** What OpenAI's ids of each type of item begin with. */
const prefixes: Readonly<Record<string, string>> = {
  message: 'msg',
  function_call: 'fc',
  function_call_output: 'fco',
  reasoning: 'rs',
}

const textOf: Readonly<Record<string, (text: string) => JsonObject>> = {
  assistant: text => ({ type: 'output_text', text, annotations: [] }),
}
const inputText = (text: string): JsonObject => ({ type: 'input_text', text })

/** An item as it is read back: in its long form, with a status and an id. The client's own ids stay. */
const itemOf = (given: unknown, id: (prefix: string) => string): JsonObject => {
  if (!isJsonObject(given)) return { id: id('item'), type: 'unknown' }
  const type = typeof given.type === 'string' ? given.type : 'message'
  const { role, content } = given
  const parts =
    type === 'message' && typeof content === 'string'
      ? [(textOf[String(role)] ?? inputText)(content)]
      : content
  return {
    id: id(prefixes[type] ?? 'item'),
    ...(type !== 'item_reference' && { status: 'completed' }),
    ...given,
    type,
    ...(parts !== undefined && { content: parts }),
  }
}

/** The items of a request's `input`, in their order. The same request gives the same ids. */
export const inputItemsOf = (responseId: string, request: unknown): readonly JsonObject[] => {
  const input = isJsonObject(request) ? request.input : undefined
  const given = Array.isArray(input)
    ? input
    : typeof input === 'string'
      ? [{ role: 'user', content: input }]
      : []
  return given.map((item, at) => itemOf(item, prefix => `${prefix}_${ulidOf(responseId)}${at}`))
}

/** A page of them, as OpenAI's lists are. Throws `invalid_cursor`. */
export const pageOf = (items: readonly JsonObject[], { limit, order, after }: ItemPage): object => {
  const ordered = order === 'asc' ? items : items.toReversed()
  const before = after === undefined ? -1 : ordered.findIndex(({ id }) => id === after)
  if (after !== undefined && before < 0) {
    throw new BatonError('invalid_cursor', 'The response has no input item of this id.', { param: 'after' })
  }
  const data = ordered.slice(before + 1, before + 1 + limit)
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: before + 1 + limit < ordered.length,
  }
}
