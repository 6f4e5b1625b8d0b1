/** Runs long pieces of work one at a time, each in a turn of the event loop of its own, so that others get theirs between. */
export interface Turns {
  take(work: () => void): void
}

export const createTurns = (): Turns => {
  const queue: (() => void)[] = []

  const next = (): void => {
    const work = queue[0]!
    try {
      work()
    } finally {
      queue.shift()
      if (queue.length > 0) setImmediate(next)
    }
  }

  return {
    take: work => {
      queue.push(work)
      if (queue.length === 1) setImmediate(next)
    },
  }
}
