import { withEdits } from '../../json/edits.ts'
import type { JsonObject } from '../../json/json-object.ts'
import { valuesAt } from '../../json/values-at.ts'
import { asRecord, isFilledText } from '../classify/json-shape.ts'

interface Call {
  readonly index: unknown
  id: string | null
  type: string
  /** What the type names holds: `function` its name and arguments, `custom` its name and input. */
  readonly inner: { name: string | null; text: string; readonly field: 'arguments' | 'input' }
  readonly more: Record<string, unknown>
}

/**
 * Puts the tool calls of chat deltas together. OpenAI numbers them with `index` and names a call only once; others leave out the
 * index, give the index 0 to all of them, or repeat the id and the name in every delta.
 */
export class ToolCallsFold {
  readonly #calls: Call[] = []

  take(deltas: readonly unknown[]): void {
    for (const item of deltas) {
      const delta = asRecord(item)
      if (delta !== null) grow(this.#callOf(delta), delta)
    }
  }

  calls(): Record<string, unknown>[] {
    return this.#calls.map(({ id, type, inner, more }) => ({
      ...(id !== null && { id }),
      type,
      [type]: { name: inner.name ?? '', [inner.field]: wholeText(inner.text, inner.field) },
      ...more,
    }))
  }

  #callOf(delta: JsonObject): Call {
    return this.#continued(delta) ?? this.#begun(delta)
  }

  /** The call that a delta goes on with; undefined when it begins one. */
  #continued(delta: JsonObject): Call | undefined {
    const { index, id } = delta
    const isNamed = isFilledText(innerOf(delta).inner?.name)
    if (typeof index === 'number') {
      const call = this.#calls.findLast(other => other.index === index)
      const isAnother = isNamed && isFilledText(id) && call?.id !== null && call?.id !== id
      return isAnother ? undefined : call
    }
    if (isFilledText(id)) {
      const same = this.#calls.find(call => call.id === id)
      return same ?? (isNamed ? undefined : this.#calls.at(-1))
    }
    return isNamed ? undefined : this.#calls.at(-1)
  }

  #begun(delta: JsonObject): Call {
    const { type } = innerOf(delta)
    const field = type === 'custom' ? 'input' : 'arguments'
    const call: Call = {
      index: delta.index,
      id: null,
      type,
      inner: { name: null, text: '', field },
      more: {},
    }
    this.#calls.push(call)
    return call
  }
}

const innerOf = (delta: JsonObject): { readonly type: string; readonly inner: JsonObject | null } =>
  delta.type === 'custom' || delta.custom !== undefined
    ? { type: 'custom', inner: asRecord(delta.custom) }
    : { type: 'function', inner: asRecord(delta.function) }

const grow = (call: Call, delta: JsonObject): void => {
  const { index: _, id, type: __, function: ___, custom: ____, ...more } = delta
  if (isFilledText(id)) call.id ??= id
  Object.assign(call.more, more)
  const inner = asRecord(delta[call.type])
  if (inner === null) return
  if (isFilledText(inner.name)) call.inner.name = inner.name
  call.inner.text += textOf(inner[call.inner.field])
}

const argumentsOfChunks = [
  ['choices', '*', 'delta', 'tool_calls', '*', 'function', 'arguments'],
  ['choices', '*', 'delta', 'function_call', 'arguments'],
]

const isObjectCall = (call: unknown): boolean => {
  const inner = asRecord(asRecord(call)?.function)
  return asRecord(inner?.arguments) !== null
}

const hasObjectArguments = ({ choices }: JsonObject): boolean =>
  Array.isArray(choices) &&
  choices.some(choice => {
    const delta = asRecord(asRecord(choice)?.delta)
    if (delta === null) return false
    const { tool_calls, function_call } = delta
    return (
      (Array.isArray(tool_calls) && tool_calls.some(isObjectCall)) ||
      asRecord(asRecord(function_call)?.arguments) !== null
    )
  })

/**
 * A chunk in which a server has given the arguments of a call as an object, with the string that spells it in its place: written
 * from what the object was parsed to, large numbers would be others. `data`: the chunk as it was written.
 */
export const withSpelledArguments = (chunk: JsonObject, data: string): JsonObject => {
  if (!hasObjectArguments(chunk)) return chunk
  const edits = valuesAt(data, argumentsOfChunks)
    .filter(({ start }) => data.startsWith('{', start))
    .map(({ start, end }) => ({ start, end, text: JSON.stringify(data.slice(start, end)) }))
  return JSON.parse(withEdits(data, edits)) as JsonObject
}

/** Some servers give the arguments as an object. */
export const textOf = (piece: unknown): string => {
  if (typeof piece === 'string') return piece
  return asRecord(piece) === null ? '' : JSON.stringify(piece)
}

/** Some servers stream nothing where there are no arguments; plain answers always hold JSON. */
export const wholeText = (text: string, field: string): string =>
  text === '' && field === 'arguments' ? '{}' : text
