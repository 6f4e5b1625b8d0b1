import { isJsonObject } from './edges/json.ts'

/**
 * Whether the text begins with this model and never has the word again, nor an escape that could spell it: then it says
 * so without being parsed, which a long prompt is well worth. Most clients write the model first.
 */
const plainlyNames = (text: string, model: string): boolean => {
  const start = `{"model":${JSON.stringify(model)}`
  const next = text[start.length]
  const again = text.includes('model"', start.length) || text.includes('\\u', start.length)
  return text.startsWith(start) && (next === ',' || next === '}') && !again
}

/**
 * The body with its top-level `model` set. Where it already is, the text comes back untouched, byte for byte; so does a
 * text that is no JSON object, which the provider may judge.
 */
export const withModel = (text: string, model: string): string => {
  if (plainlyNames(text, model)) return text
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return text
  }
  if (!isJsonObject(body) || body.model === model) return text
  return JSON.stringify({ ...body, model })
}
