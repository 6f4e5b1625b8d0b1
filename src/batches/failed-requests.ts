import { isJsonObject, type JsonObject } from '../json/json-object.ts'
import { failureOf } from './read-failures.ts'
import { readLines } from './read-lines.ts'

const start = { offset: 0, line: 0 }
/** Both files were held line by line when they were made. */
const anyLength = Number.POSITIVE_INFINITY

/** The custom ids of a message batch's requests that its results file has no answer for. */
export const failedRequests = async (results: AsyncIterable<Uint8Array>): Promise<ReadonlySet<string>> => {
  const failed = new Set<string>()
  for await (const group of readLines(results, start, anyLength)) {
    for (const { bytes } of group) {
      const line = failureOf('anthropic', bytes!)
      if (line !== null) failed.add(line.custom_id)
    }
  }
  return failed
}

export interface PickedRequests {
  /** To be read once. */
  readonly lines: AsyncIterable<Uint8Array>
  /** How many there were; after the end of `lines`. */
  total(): number
  /** The models that they name; after the end of `lines`. */
  models(): ReadonlySet<string>
}

const newline = Buffer.from('\n')

/** The requests of these custom ids, byte for byte, as `messageBatchLines` wrote them. */
export const pickRequests = (
  input: AsyncIterable<Uint8Array>,
  wanted: ReadonlySet<string>,
): PickedRequests => {
  const models = new Set<string>()
  let total = 0

  const isWanted = (bytes: Buffer): boolean => {
    const { custom_id: customId, params } = JSON.parse(bytes.toString()) as JsonObject
    if (!wanted.has(String(customId))) return false
    if (isJsonObject(params) && typeof params.model === 'string') models.add(params.model)
    total += 1
    return true
  }
  async function* lines(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const group of readLines(input, start, anyLength)) {
      const kept = group.flatMap(({ bytes }) => (isWanted(bytes!) ? [bytes!, newline] : []))
      if (kept.length > 0) yield Buffer.concat(kept)
    }
  }
  return { lines: lines(), total: () => total, models: () => models }
}
