import { isJsonObject } from '../../json/json-object.ts'

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The arguments of a call that a model made in an earlier turn, as the object that most vendors insist on. None are an empty
 * object; one that was written twice is read twice; what is no JSON, as when an answer was cut off, is shown as it is.
 */
export const argumentsOf = (text: string): object => {
  if (text.trim() === '') return {}
  const once = parsed(text)
  const value = typeof once === 'string' ? (parsed(once) ?? once) : once
  if (isJsonObject(value)) return value
  return value === undefined ? { invalid_arguments: text } : { value }
}
