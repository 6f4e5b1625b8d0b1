/** Rejects with the signal's reason where that comes first. Leaves nothing on the signal, so that it may be asked a million times. */
const orAborted = <Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> =>
  new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })

/**
 * What somebody else's iterable brings, until the signal is aborted: also where its next item never comes, as from a queue that is empty.
 * It is closed then, and waited for unless it is stuck.
 */
export async function* untilAborted<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  signal: AbortSignal,
): AsyncGenerator<Item> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  let isStuck = false
  try {
    for (;;) {
      signal.throwIfAborted()
      isStuck = true
      const { done, value } = await orAborted(Promise.resolve(iterator.next()), signal)
      isStuck = false
      if (done) return
      yield value
    }
  } finally {
    const closed = Promise.resolve(iterator.return?.())
    if (isStuck) closed.catch(() => undefined)
    else await closed
  }
}
