import type { BlobStore, ByteRange } from './blobs/blob-store.ts'
import type { Segment } from './record.ts'

/**
 * A file's bytes in order, over all its segments: all of them, or those of `range`. Read with backpressure; ending the
 * iteration early frees what it holds. Throws BlobNotFoundError when the file is purged meanwhile.
 */
export async function* readFile(
  blobs: BlobStore,
  segments: readonly Segment[],
  range: ByteRange = { start: 0, end: Number.POSITIVE_INFINITY },
): AsyncGenerator<Uint8Array, void> {
  let at = 0
  for (const { key, bytes } of segments) {
    const start = Math.max(range.start - at, 0)
    const end = Math.min(range.end - at, bytes)
    if (start < end) yield* blobs.read(key, start === 0 && end === bytes ? undefined : { start, end })
    at += bytes
    if (at >= range.end) return
  }
}
