const mark = Buffer.from([0xef, 0xbb, 0xbf])

/** The source's bytes, as Buffers, without a byte order mark at their start, wherever its chunks are cut. */
export async function* withoutByteOrderMark(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  let start: Buffer | null = Buffer.alloc(0)
  for await (const chunk of source) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (start === null) {
      yield bytes
      continue
    }
    start = Buffer.concat([start, bytes])
    if (start.length < mark.length) continue
    yield withoutMark(start)
    start = null
  }
  if (start !== null) yield start
}

const withoutMark = (bytes: Buffer): Buffer =>
  bytes.subarray(0, mark.length).equals(mark) ? bytes.subarray(mark.length) : bytes
