import type { JsonObject } from '../../json/json-object.ts'
import { asRecord, firstRecord } from '../classify/json-shape.ts'

/** Named once, and then the same or worthless: Azure's first chunk has them empty, some vendors count `created` on. */
const firstCounts: ReadonlySet<string> = new Set(['id', 'created', 'model'])

/** Of events only: `obfuscation` is noise against guessing a text from its sizes. */
const ofChunks: ReadonlySet<string> = new Set(['object', 'choices', 'usage', 'obfuscation'])

/** The members that chunks of chat and completions have beside their choices, as an answer has them. */
export class ChunkMembers {
  readonly #object: string
  readonly #members: Record<string, unknown> = {}
  #usage: JsonObject | null = null

  constructor(object: string) {
    this.#object = object
  }

  /** Returns whether the chunk tells what was used. */
  take(chunk: JsonObject): boolean {
    for (const name of Object.keys(chunk)) {
      const value = chunk[name]
      if (ofChunks.has(name) || value === undefined || value === null) continue
      if (!firstCounts.has(name)) this.#members[name] = value
      else if (!this.#members[name]) this.#members[name] = value
    }
    const usage = usageIn(chunk)
    if (usage !== null) this.#usage = usage
    return usage !== null
  }

  answer(choices: readonly JsonObject[]): Record<string, unknown> {
    const { id, created, model, ...more } = this.#members
    const usage = this.#usage
    return { id, object: this.#object, created, model, choices, ...(usage && { usage }), ...more }
  }
}

/** Each vendor has its place for it: in every chunk or the last one, Groq in `x_groq`, Moonshot in the choice. */
const usageIn = ({ usage, x_groq, choices }: JsonObject): JsonObject | null => {
  const told = asRecord(usage) ?? asRecord(asRecord(x_groq)?.usage) ?? asRecord(firstRecord(choices)?.usage)
  return told === null || Object.keys(told).length === 0 ? null : told
}
