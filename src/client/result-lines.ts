import { chunksOf } from './chunks.ts'

/** A line of a batch's output or errors, as it stands there. */
export interface BatchResult<Body = unknown> {
  readonly id: string
  readonly custom_id: string
  /** The provider's answer; null where there is none. */
  readonly response: { readonly status_code: number; readonly request_id: string; readonly body: Body } | null
  readonly error: { readonly code: string; readonly message: string } | null
}

const newline = 10

/** Each line of a body with the bytes that it takes, its end among them. What is not ended by the end of the body is left out. */
export async function* linesIn(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<{ readonly text: string; readonly bytes: number }> {
  let pieces: Uint8Array[] = []
  let held = 0
  for await (const chunk of chunksOf(body)) {
    let from = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      pieces.push(chunk.subarray(from, end))
      yield { text: textOf(pieces), bytes: held + end - from + 1 }
      pieces = []
      held = 0
      from = end + 1
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from))
    held += chunk.length - from
  }
}

const textOf = (pieces: readonly Uint8Array[]): string => {
  const decoder = new TextDecoder()
  return pieces.map(piece => decoder.decode(piece, { stream: true })).join('') + decoder.decode()
}
