/**
 * What a body brings, as it comes; rejects where it breaks off. Not every runtime can iterate a ReadableStream. Who stops reading leaves
 * the connection.
 */
export async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    // One that broke has nothing to leave.
    await reader.cancel().catch(() => undefined)
  }
}
