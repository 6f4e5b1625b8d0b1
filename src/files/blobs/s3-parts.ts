/** S3 takes no smaller parts, but for the last, and at most 10,000 of them: blobs of up to 50 GiB. */
export const partBytes = 5 * 1024 * 1024

export interface Part {
  readonly bytes: Uint8Array
  readonly last: boolean
}

/**
 * Gathers chunks into parts; the last one may be shorter, or empty when all are. Two buffers take turns, so that one is
 * sent while the other fills and a blob of any size takes 10 MiB: a part is overwritten when the one after the next
 * is asked for.
 */
export async function* partsOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Part, void, undefined> {
  let filling: Buffer = Buffer.allocUnsafe(partBytes)
  let other: Buffer | null = null
  let filled = 0
  for await (const chunk of source) {
    for (let rest = chunk; rest.byteLength > 0; ) {
      if (filled === partBytes) {
        yield { bytes: filling, last: false }
        const next = other ?? Buffer.allocUnsafe(partBytes)
        other = filling
        filling = next
        filled = 0
      }
      const taken = rest.subarray(0, partBytes - filled)
      filling.set(taken, filled)
      filled += taken.byteLength
      rest = rest.subarray(taken.byteLength)
    }
  }
  yield { bytes: filling.subarray(0, filled), last: true }
}
