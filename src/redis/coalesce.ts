interface Waiting<Item, Reply> {
  readonly item: Item
  readonly done: (reply: Reply) => void
  readonly failed: (error: unknown) => void
  readonly sent: (() => void) | undefined
}

/** More than this in one script would hold Redis up for others: a text takes it some 10 µs a kB. */
const maxTogether = 100
const maxBytes = 256 * 1024

export interface Weight<Item> {
  /** Of one script, where what it replies may be long. */
  readonly most?: number
  /** Of the long texts that an item brings. */
  readonly bytesOf?: (item: Item) => number
}

/**
 * Gathers what is asked within one turn of the event loop and runs it together, a group for each shard: under load
 * a script call and its round trip are shared by many jobs, and a lone job waits for nothing. `sent` is called when the
 * command has been given to the connection, which keeps commands in order.
 */
export const coalesce = <Item, Reply>(
  shardOf: (item: Item) => number,
  run: (shard: number, items: readonly Item[]) => Promise<readonly Reply[]>,
  { most = maxTogether, bytesOf = () => 0 }: Weight<Item> = {},
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

  /** In their order, as few as may be. */
  const partsOf = (group: readonly Waiting<Item, Reply>[]): Waiting<Item, Reply>[][] => {
    const parts: Waiting<Item, Reply>[][] = [[]]
    let bytes = 0
    for (const each of group) {
      const own = bytesOf(each.item)
      const last = parts.at(-1)!
      if (last.length < most && (last.length === 0 || bytes + own <= maxBytes)) {
        last.push(each)
        bytes += own
      } else {
        parts.push([each])
        bytes = own
      }
    }
    return parts
  }

  const flush = (): void => {
    const all = waiting
    waiting = []
    for (const [shard, group] of Map.groupBy(all, w => shardOf(w.item)))
      for (const part of partsOf(group)) void runGroup(shard, part)
  }

  return (item, sent) =>
    new Promise((done, failed) => {
      if (waiting.push({ item, done, failed, sent }) === 1) setImmediate(flush)
    })
}
