/** By nearest rank. */
export const percentile = (values: readonly number[], percent: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!
}

export const median = (values: readonly number[]): number => percentile(values, 50)

export const whole = (value: number): string => Math.round(value).toLocaleString('en')
export const fixed = (value: number, digits: number): string => value.toFixed(digits)

/** Columns as wide as their widest cell: names to the left, figures to the right. */
export const printTable = (head: readonly string[], rows: readonly (readonly string[])[]): void => {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map(row => row[i]!.length)))
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
    console.log(`  ${cells.join('  ').trimEnd()}`)
  }
}
