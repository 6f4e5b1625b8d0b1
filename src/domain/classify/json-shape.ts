import { isJsonObject, type JsonObject } from '../../json/json-object.ts'

/** Cautious readers of parsed JSON of unknown shape: they answer null instead of throwing. */

export const asRecord = (value: unknown): JsonObject | null => (isJsonObject(value) ? value : null)

/** The array's first element, when that is an object. */
export const firstRecord = (value: unknown): JsonObject | null =>
  Array.isArray(value) ? asRecord(value[0]) : null

export const isFilledText = (value: unknown): value is string => typeof value === 'string' && value !== ''

export const isFilledArray = (value: unknown): value is readonly unknown[] =>
  Array.isArray(value) && value.length > 0

/**
 * A provider's code in lower case, fit for logs and metrics, or null. Anything that does not look like a code is
 * dropped whole rather than cleaned: a cleaned sentence would still carry words of a prompt.
 */
export function asCode(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 64) return null
  const code = value.toLowerCase()
  return /^[a-z0-9_.-]+$/.test(code) ? code : null
}
