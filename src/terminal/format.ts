import { stripVTControlCharacters } from 'node:util'

/** `42 s`, `3 min 10 s`, `2 h 5 min`, `1 d 4 h`. */
export const renderDuration = (ms: number): string => {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

const sizes = [
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
] as const

/** `512 bytes`, `1.2 kB`, `200.0 MB`. */
export const renderBytes = (bytes: number): string => {
  const [unit, size] = sizes.find(([, size]) => bytes >= size) ?? ['bytes', 1]
  return `${size === 1 ? bytes : (bytes / size).toFixed(1)} ${unit}`
}

/** `1 line`, `2 lines`. */
export const renderCount = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`

/** Unix seconds as `2025-12-06 05:46:43 UTC`. */
export const renderTime = (seconds: number): string =>
  new Date(seconds * 1_000)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC')

/** The time of day alone, with milliseconds where there are any: `05:46:43`, `05:46:43.020`. */
export const renderClock = (seconds: number): string =>
  new Date(Math.round(seconds * 1_000))
    .toISOString()
    .slice(11, 23)
    .replace(/\.000$/, '')

/** As many characters as a terminal shows. */
const widthOf = (cell: string): number => stripVTControlCharacters(cell).length

/** Rows as columns of even width, two spaces apart. Cells may have colours. */
export const renderTable = (rows: readonly (readonly string[])[]): string => {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))
  }
  return rows
    .map(row =>
      row
        .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
