import { createHash } from 'node:crypto'
import type { Endpoint } from '../domain/endpoint.ts'
import { canonicalJson } from '../json/canonical-json.ts'
import { type AnswerContent, contentOf } from './answer-content.ts'

/**
 * Digests of what an answer says: two answers agree where these are equal, and nothing of them has to be
 * kept.
 */
export interface AnswerDigest {
  /** The digest of the text as it is. */
  readonly exact: string
  /**
   * The digest of the text without regard to whitespace and case, or of its JSON without regard to
   * formatting.
   */
  readonly normalised: string
}

const digest = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22)

/** `Yes. ` and `yes.` are one answer, and so are `{"a": 1}` and `{ "a":1 }`. */
export const normalisedText = (text: string): string => {
  const json = jsonOf(text)
  return json ?? text.normalize('NFC').replace(/\s+/gu, ' ').trim().toLowerCase()
}

/** Objects and lists only: a plain `1` in place of `1.0` is text, not JSON. */
const jsonOf = (text: string): string | null => {
  if (!/^\s*[[{]/.test(text)) return null
  try {
    JSON.parse(text)
    return canonicalJson(text)
  } catch {
    return null
  }
}

/** OpenAI writes arguments as text, Anthropic as an object. */
const inputText = (input: unknown): string =>
  typeof input === 'string' ? input : (JSON.stringify(input) ?? '')

const normalised = ({ texts, calls }: AnswerContent): unknown => [
  texts.map(normalisedText),
  calls.map(({ name, input }) => [name, normalisedText(inputText(input))]),
]

/** Null for what cannot be read. */
export const answerDigestOf = (endpoint: Endpoint, body: string): AnswerDigest | null => {
  try {
    const said = contentOf(endpoint, body)
    return { exact: digest(said), normalised: digest(normalised(said)) }
  } catch {
    return null
  }
}
