import type { JsonObject } from '../../json/json-object.ts'
import { asRecord } from '../classify/json-shape.ts'

/** A part of a message that grows. */
export type Part = Record<string, unknown>

/** Types of parts that come in pieces; others, such as images, come whole. */
const growing: ReadonlySet<unknown> = new Set(['text', 'thinking', 'reasoning.text', 'reasoning.summary'])

/** Adds a delta's parts to those of a message: one that goes on with the last is joined to it. */
export const addParts = (parts: Part[], more: readonly unknown[]): void => {
  for (const piece of more) {
    const part = asRecord(piece)
    if (part === null) continue
    const last = parts.at(-1)
    if (last !== undefined && goesOn(last, part)) join(last, part)
    else parts.push(copy(part))
  }
}

const goesOn = (last: Part, part: JsonObject): boolean =>
  growing.has(part.type) && last.type === part.type && last.index === part.index

const copy = (part: JsonObject): Part =>
  Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, Array.isArray(value) ? value.map(copyInner) : value]),
  )

const copyInner = (value: unknown): unknown => {
  const part = asRecord(value)
  return part === null ? value : { ...part }
}

const joined: ReadonlySet<string> = new Set(['text', 'summary', 'thinking'])

const join = (last: Part, part: JsonObject): void => {
  for (const [name, value] of Object.entries(part)) {
    const before = last[name]
    if (joined.has(name) && typeof value === 'string' && typeof before === 'string')
      last[name] = before + value
    else if (Array.isArray(value) && Array.isArray(before)) addParts(before as Part[], value)
    else if (value !== null && value !== undefined) last[name] = value
  }
}
