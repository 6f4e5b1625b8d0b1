import { replacing, withEdits } from '../json/edits.ts'
import { isJsonObject } from '../json/json-object.ts'
import { membersOf } from '../json/members.ts'

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
 * The body with its top-level `model` set, and every other byte as it was: written anew, large numbers would come out as
 * others, and a body that is nested deeply not at all. A text that is no JSON object comes back untouched; the provider
 * may judge it.
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
  const named = [...membersOf(text)].filter(({ name }) => name === 'model')
  if (named.length > 0)
    return withEdits(
      text,
      named.map(member => replacing(member, model)),
    )
  const value = JSON.stringify(model)
  const rest = text.slice(text.indexOf('{') + 1)
  return `{"model":${value}${rest.trimStart().startsWith('}') ? '' : ','}${rest}`
}
