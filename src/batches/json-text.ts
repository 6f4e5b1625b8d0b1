/** The text of one member of a JSON object, as it is written. */
export interface MemberText {
  readonly text: string
  /** How many brackets are open at its deepest. */
  readonly depth: number
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/**
 * The text of a member of the object that `json` is; null when it has none of that name. `json` must be a valid
 * JSON object: this only finds its way through what JSON.parse has taken. Of members with the same name the last
 * counts, as with JSON.parse.
 *
 * A request is passed on as a piece of the text it came in, not written anew: 12345678901234567890 and 1e400
 * would come out as other numbers, and very deep nesting, which JSON.parse takes, is too much for JSON.stringify.
 */
export const memberText = (json: string, name: string): MemberText | null => {
  let found: MemberText | null = null
  let depth = 0
  let deepest = 0
  let isKey = true
  let isWanted = false
  let start = 0
  for (let at = 0; at < json.length; at += 1) {
    switch (json.charCodeAt(at)) {
      case quote: {
        const end = endOfString(json, at)
        if (depth === 1 && isKey) isWanted = isNamed(json.slice(at, end + 1), name)
        at = end
        break
      }
      case openBrace:
      case openBracket:
        depth += 1
        if (depth > deepest) deepest = depth
        break
      case colon:
        if (depth > 1) break
        isKey = false
        start = at + 1
        deepest = depth
        break
      case closeBrace:
      case closeBracket:
      case comma:
        if (depth === 1 && isWanted) found = { text: json.slice(start, at).trim(), depth: deepest - 1 }
        if (depth === 1) {
          isKey = true
          isWanted = false
        }
        if (json.charCodeAt(at) !== comma) depth -= 1
    }
  }
  return found
}

const endOfString = (json: string, start: number): number => {
  let end = json.indexOf('"', start + 1)
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1)
  return end
}

/** An odd number of backslashes before it. */
const isEscaped = (json: string, at: number): boolean => {
  let first = at
  while (json.charCodeAt(first - 1) === backslash) first -= 1
  return (at - first) % 2 === 1
}

const isNamed = (key: string, name: string): boolean =>
  key === `"${name}"` || (key.includes('\\') && JSON.parse(key) === name)
