import { isJsonObject } from './edges/json.ts'

/**
 * The body with its top-level `model` set. Where it already is, the text comes back untouched, byte for byte; so does a
 * text that is no JSON object, which the provider may judge.
 */
export const withModel = (text: string, model: string): string => {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return text
  }
  if (!isJsonObject(body) || body.model === model) return text
  return JSON.stringify({ ...body, model })
}
