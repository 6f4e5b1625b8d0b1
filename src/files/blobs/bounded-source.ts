import { BlobTooLargeError, type WriteOptions } from './blob-store.ts'

/**
 * The source's chunks one by one. Throws BlobTooLargeError at the first byte too many, and the signal's reason as soon
 * as it aborts, even while the source hangs. The source is told when it is left before its end.
 */
export async function* boundedSource(
  source: AsyncIterable<Uint8Array>,
  { maxBytes = Number.POSITIVE_INFINITY, signal }: WriteOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = source[Symbol.asyncIterator]()
  let bytes = 0
  let ended = false
  try {
    for (;;) {
      const next = await nextUnlessAborted(iterator, signal)
      if (next.done) {
        ended = true
        return
      }
      bytes += next.value.byteLength
      if (bytes > maxBytes) throw new BlobTooLargeError(maxBytes)
      yield next.value
    }
  } finally {
    // Not waited for: a source that hangs would hang here as well.
    if (!ended) void leave(iterator)
  }
}

/** A listener for each chunk: one promise raced for the whole source would hold on to every chunk of it. */
const nextUnlessAborted = <T>(iterator: AsyncIterator<T>, signal: AbortSignal | undefined) =>
  signal === undefined
    ? iterator.next()
    : new Promise<IteratorResult<T>>((resolve, reject) => {
        signal.throwIfAborted()
        const abort = (): void => reject(signal.reason)
        signal.addEventListener('abort', abort, { once: true })
        iterator
          .next()
          .then(resolve, reject)
          .finally(() => signal.removeEventListener('abort', abort))
      })

const leave = async (iterator: AsyncIterator<Uint8Array>): Promise<void> => {
  try {
    await iterator.return?.()
  } catch {
    // Whoever wrote knows already why the source was left.
  }
}
