import type { RequestBody } from './job-calls.ts'

/** A request of a run. */
export interface BatchRequest {
  /** Tells its result from the others; `request-1`, `request-2` … where none is given. */
  readonly custom_id?: string
  readonly body: RequestBody
}

export interface FileLimits {
  readonly lines: number
  readonly bytes: number
}

/**
 * The input files of batches, each made when it is asked for: a file holds as many requests as come within the limits, and at
 * least one.
 */
export async function* requestFiles(
  requests: Iterable<BatchRequest> | AsyncIterable<BatchRequest>,
  url: string,
  limits: FileLimits,
): AsyncGenerator<{ readonly file: Blob; readonly lines: number }> {
  const encoder = new TextEncoder()
  let held: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  let count = 0
  const take = () => {
    const file = { file: new Blob(held, { type: 'application/jsonl' }), lines: held.length }
    held = []
    bytes = 0
    return file
  }
  for await (const { custom_id, body } of requests) {
    count++
    const line = { custom_id: custom_id ?? `request-${count}`, method: 'POST', url, body }
    const text = encoder.encode(`${JSON.stringify(line)}\n`)
    if (held.length > 0 && (held.length >= limits.lines || bytes + text.length > limits.bytes)) yield take()
    held.push(text)
    bytes += text.length
  }
  if (held.length > 0) yield take()
}
