import type { BlobStore, ByteRange } from '../../../src/files/blobs/blob-store.ts'

/** Bytes of which no two stretches are alike, so that one in the wrong place shows. */
export const patterned = (length: number): Buffer => {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE((at * 2_654_435_761) % 4_294_967_296, at)
  return bytes
}

export async function* chunksOf(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The bytes, and then nothing more: neither a chunk nor an end. `reached` resolves when it is waited for. */
export const hangingAfter = (bytes: Uint8Array) => {
  const reached = Promise.withResolvers<void>()
  const open = Promise.withResolvers<void>()
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunksOf(bytes)
    reached.resolve()
    await open.promise
  }
  return { source: source(), reached: reached.promise, finish: open.resolve }
}

export const readAll = async (blobs: BlobStore, key: string, range?: ByteRange): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of blobs.read(key, range)) chunks.push(chunk)
  return Buffer.concat(chunks)
}
