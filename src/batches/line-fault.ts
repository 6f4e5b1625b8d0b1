import { createHash } from 'node:crypto'

/** As long as a digest in hex, so that no id that is kept as it is can look like one. */
const digestLength = 64

/**
 * Which line each custom id was first seen in. Exact: an id too long to be kept is known by its SHA-256, so that
 * each takes a bounded amount of memory.
 */
export class SeenIds {
  readonly #lines = new Map<string, number>()

  /** The line that has this id already; null when this is the first, which is remembered. */
  earlier(id: string, line: number): number | null {
    const key = id.length < digestLength ? id : digestOf(id)
    const earlier = this.#lines.get(key)
    if (earlier !== undefined) return earlier
    this.#lines.set(key, line)
    return null
  }
}

// As UTF-16: in UTF-8 every lone surrogate would be the same U+FFFD.
const digestOf = (id: string): string => createHash('sha256').update(id, 'utf16le').digest('hex')

/** What is wrong with a request of a batch, as `errors.data` of OpenAI's batch shows it. */
export interface LineFault {
  readonly code: LineFaultCode
  readonly message: string
  readonly param: string | null
  /** Physical line, counted from 1; null for a fault of the file as a whole. */
  readonly line: number | null
}

/**
 * From the open list of OpenAI and Azure, and `price_unknown`. Without `model_mismatch`, as a file may mix
 * models.
 */
export type LineFaultCode =
  | 'invalid_json_line'
  | 'invalid_request'
  | 'missing_required_parameter'
  | 'url_mismatch'
  | 'duplicate_custom_id'
  | 'model_not_found'
  | 'empty_file'
  | 'too_many_tasks'
  | 'price_unknown'

/** A request as a job is made of it. */
export interface BatchRequest {
  readonly customId: string
  readonly model: string
  /** The JSON text of the body, as the client wrote it: numbers and escapes are not touched. */
  readonly body: string
  readonly parsedBody: Readonly<Record<string, unknown>>
}

/** How a client's own text is shown in a message: enough to find it again. */
export const quoted = (text: string): string => `'${text.length > 64 ? `${text.slice(0, 64)}…` : text}'`
