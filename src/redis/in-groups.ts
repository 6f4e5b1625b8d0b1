/** Scripts that come together run one after the other, and hold Redis up for all others as one long script would. */
const together = 4

/**
 * Does the work for each, a few at a time, and waits for those before the next: for scripts that take a millisecond or more.
 * Where some fail, the others are done, and the first failure is thrown.
 */
export const inGroups = async <Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> => {
  const results: Result[] = []
  const failures: unknown[] = []
  for (let from = 0; from < items.length; from += together) {
    const group = items.slice(from, from + together)
    for (const settled of await Promise.allSettled(group.map((item, i) => work(item, from + i)))) {
      if (settled.status === 'fulfilled') results.push(settled.value)
      else failures.push(settled.reason)
    }
  }
  if (failures.length > 0) throw failures[0]
  return results
}
