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
  const value = JSON.stringify(model)
  let made = ''
  let copied = 0
  for (const { name, start, end } of membersOf(text)) {
    if (name !== 'model') continue
    made += text.slice(copied, start) + value
    copied = end
  }
  if (copied > 0) return made + text.slice(copied)
  const rest = text.slice(text.indexOf('{') + 1)
  return `{"model":${value}${rest.trimStart().startsWith('}') ? '' : ','}${rest}`
}

interface Member {
  readonly name: unknown
  /** Where its value stands in the text. */
  readonly start: number
  readonly end: number
}

/** The members of a text that is known to be a JSON object, in order; a name may come more than once. */
function* membersOf(text: string): Generator<Member> {
  for (let at = text.indexOf('{') + 1; ; ) {
    const quote = text.indexOf('"', at)
    if (quote < 0 || text.slice(at, quote).includes('}')) return
    const nameEnd = stringEnd(text, quote)
    const start = text.indexOf(':', nameEnd) + 1
    const end = valueEnd(text, start)
    yield { name: JSON.parse(text.slice(quote, nameEnd)), start, end }
    at = end
  }
}

/** Behind the string that begins at `quote`. Prompts are long: looking for its end is left to `indexOf`. */
const stringEnd = (text: string, quote: number): number => {
  for (let at = quote; ; ) {
    at = text.indexOf('"', at + 1)
    let backslashes = 0
    while (text[at - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return at + 1
  }
}

/** At the comma or brace behind the value that begins at `start`. By a count of what is open, however deep that is. */
const valueEnd = (text: string, start: number): number => {
  let open = 0
  for (let at = start; ; at++) {
    const char = text[at]
    if (char === '"') at = stringEnd(text, at) - 1
    else if (char === '{' || char === '[') open++
    else if (open === 0 && (char === ',' || char === '}')) return at
    else if (char === '}' || char === ']') open--
  }
}
