/** What a command needs from the process that runs it. */
export interface Terminal {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Writes one line, or several, to standard output. */
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

export type Out = Terminal['out']

export const renderJson = (value: unknown): string => JSON.stringify(value, null, 2)

/** Rows as columns of even width, two spaces apart. */
export const renderTable = (rows: readonly (readonly string[])[]): string => {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
