/** Scripts that come together run one after the other, and hold Redis up for all others as one long script would. */
const together = 4

type Work<Item, Result> = (item: Item, index: number) => Promise<Result>

/**
 * Does the work for each, a few at a time, and waits for those before the next: for scripts that take a millisecond or more.
 * Throws the first failure, and begins nothing after it: somebody waits for the whole.
 */
export const inGroups = async <Item, Result>(
  items: readonly Item[],
  work: Work<Item, Result>,
): Promise<Result[]> => {
  const results: Result[] = []
  for (let from = 0; from < items.length; from += together) {
    const group = items.slice(from, from + together)
    results.push(...(await Promise.all(group.map((item, i) => work(item, from + i)))))
  }
  return results
}

/** The same for work that is worth doing without the rest. Where some fail, the others are done, and the first failure is thrown. */
export const eachInGroups = async <Item, Result>(
  items: readonly Item[],
  work: Work<Item, Result>,
): Promise<Result[]> => {
  const settled = await inGroups(items, (item, index) =>
    work(item, index).then(
      value => ({ value }),
      (failure: unknown) => ({ failure }),
    ),
  )
  const failed = settled.find(each => 'failure' in each)
  if (failed !== undefined) throw failed.failure
  return settled.flatMap(each => ('value' in each ? [each.value] : []))
}
