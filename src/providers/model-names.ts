import { isJsonObject } from '../json/json-object.ts'

/** More than any vendor has; what a page of a few megabytes names beyond them is left out. */
const mostNames = 5_000
const longestName = 200

const listIn = (json: unknown): readonly unknown[] => {
  if (Array.isArray(json)) return json
  if (!isJsonObject(json)) return []
  const { data, models } = json
  return Array.isArray(data) ? data : Array.isArray(models) ? models : []
}

/** Gemini's are paths: `models/gemini-2.5-pro`. */
const nameOf = (entry: unknown): string | null => {
  if (!isJsonObject(entry)) return null
  const name = entry.id ?? entry.name
  return typeof name === 'string' && name !== '' && name.length <= longestName
    ? name.replace(/^models\//, '')
    : null
}

/**
 * The models that a vendor's list names: OpenAI's and Anthropic's `data`, Gemini's and Cohere's `models`, and Together's bare list.
 * Each once, in the order of the list.
 */
export const modelNamesIn = (json: unknown): readonly string[] => [
  ...new Set(
    listIn(json)
      .slice(0, mostNames)
      .flatMap(entry => nameOf(entry) ?? []),
  ),
]
