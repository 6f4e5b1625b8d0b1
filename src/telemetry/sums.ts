/** What was counted or added up under these labels. */
export interface Counted {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What adds up under labels. */
export type Sums = ReturnType<typeof createSums>

/** Adds up under labels whose values stand in the order of their names. */
export const createSums = (...names: readonly string[]) => {
  const sums = new Map<string, { readonly values: readonly string[]; sum: number }>()
  return {
    add: (more: number, ...values: readonly string[]): void => {
      const key = values.join('\n')
      const own = sums.get(key)
      if (own) own.sum += more
      else sums.set(key, { values, sum: more })
    },
    read: (): readonly Counted[] =>
      [...sums.values()].map(({ values, sum }) => ({
        labels: Object.fromEntries(names.map((name, i) => [name, values[i]!])),
        value: sum,
      })),
  }
}
