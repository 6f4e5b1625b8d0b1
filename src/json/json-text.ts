import { randomUUID } from 'node:crypto'
import { isJson } from './json-object.ts'

/** Stands for a text while JSON is written: random, so that no other text can look like it. */
const mark = randomUUID()
const writtenMark = JSON.stringify(mark)

/** The texts that the writing under way has met, in their order. */
let met: string[] | null = null

/**
 * A value that is JSON already. `writeJson` puts its text where it stands, to the byte: written anew from
 * what JSON.parse makes of it, large numbers would come out as others, and what nests very deep not at all.
 */
export class JsonText {
  readonly text: string

  /** `text` must be JSON. */
  constructor(text: string) {
    this.text = text
  }

  /** Only `writeJson` knows what to do with it. A logger, for one, is not to have it. */
  toJSON(): string {
    if (met === null) throw new TypeError('a JsonText is written by writeJson')
    met.push(this.text)
    return mark
  }
}

/** JSON.stringify, but that each JsonText within `value` stands in it as it is. */
export const writeJson = (value: unknown, indent?: number): string => {
  const outer = met
  const texts: string[] = []
  met = texts
  try {
    const json = JSON.stringify(value, null, indent)
    if (texts.length === 0) return json
    return json
      .split(writtenMark)
      .map((piece, i) => piece + (texts[i] ?? ''))
      .join('')
  } finally {
    met = outer
  }
}

/** JSON.stringify; for what nests deeper than its stack reaches, an empty object. */
export const writeShallow = (value: unknown): string => {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) return '{}'
    throw error
  }
}

/** A text as the value that it spells, or, where it is no JSON, as a string. */
export const jsonOrString = (text: string): JsonText | string => (isJson(text) ? new JsonText(text) : text)
