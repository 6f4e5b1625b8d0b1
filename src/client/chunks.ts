/** Rejects when a read brings nothing for so long. Not every runtime ends a connection whose other side is gone without a word. */
const within = async <Read>(read: Promise<Read>, silenceMs: number): Promise<Read> => {
  const { promise: silence, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new TypeError('nothing came for too long')), silenceMs)
  try {
    return await Promise.race([read, silence])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * What a body brings, as it comes; rejects where it breaks off, or is silent for too long, with a TypeError as `fetch` does. Not every
 * runtime can iterate a ReadableStream. Who stops reading leaves the connection.
 */
export async function* chunksOf(
  body: ReadableStream<Uint8Array>,
  silenceMs = 300_000,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), silenceMs)
      if (done) return
      yield value
    }
  } finally {
    // One that broke has nothing to leave.
    await reader.cancel().catch(() => undefined)
  }
}
