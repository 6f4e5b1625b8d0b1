interface Waiting<Item, Reply> {
  readonly item: Item
  readonly done: (reply: Reply) => void
  readonly failed: (error: unknown) => void
  readonly sent: (() => void) | undefined
}

/** More than this in one script would hold Redis up for others. */
const maxTogether = 100

/**
 * Gathers what is asked within one turn of the event loop and runs it together, a group for each shard: under load
 * a script call and its round trip are shared by many jobs, and a lone job waits for nothing. `sent` is called when the
 * command has been given to the connection, which keeps commands in order.
 */
export const coalesce = <Item, Reply>(
  shardOf: (item: Item) => number,
  run: (shard: number, items: readonly Item[]) => Promise<readonly Reply[]>,
): ((item: Item, sent?: () => void) => Promise<Reply>) => {
  let waiting: Waiting<Item, Reply>[] = []

  const runGroup = async (shard: number, group: readonly Waiting<Item, Reply>[]): Promise<void> => {
    try {
      const running = run(
        shard,
        group.map(w => w.item),
      )
      for (const w of group) w.sent?.()
      const replies = await running
      for (const [i, w] of group.entries()) w.done(replies[i]!)
    } catch (error) {
      for (const w of group) w.failed(error)
    }
  }

  const flush = (): void => {
    const all = waiting
    waiting = []
    for (const [shard, group] of Map.groupBy(all, w => shardOf(w.item))) {
      for (let from = 0; from < group.length; from += maxTogether) {
        void runGroup(shard, group.slice(from, from + maxTogether))
      }
    }
  }

  return (item, sent) =>
    new Promise((done, failed) => {
      if (waiting.push({ item, done, failed, sent }) === 1) setImmediate(flush)
    })
}
