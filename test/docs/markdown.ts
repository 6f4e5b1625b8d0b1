import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

export const readDoc = (path: string): string => readFileSync(join(root, path), 'utf8')

/** README.md and what lies in docs/, as paths from the root. */
export const docPaths: readonly string[] = [
  'README.md',
  ...readdirSync(join(root, 'docs')).map(name => `docs/${name}`),
].filter(path => path.endsWith('.md'))

export interface Block {
  readonly language: string
  /** What follows `test=` after the language. */
  readonly mark: string | null
  readonly text: string
}

export const blocksOf = (markdown: string): Block[] =>
  [...markdown.matchAll(/^```(\w*)(?: test=(\w+))?\n(.*?)^```$/gms)].map(([, language, mark, text]) => ({
    language: language!,
    mark: mark ?? null,
    text: text!,
  }))

/** The rows of the first table after a text, without its header. */
export const tableAfter = (markdown: string, heading: string): string[][] => {
  const section = markdown.slice(markdown.indexOf(heading))
  const [table = ''] = /(?:^\|.*\|\n)+/m.exec(section) ?? []
  return rowsOf(table).slice(2)
}

/** Every table row of a document, rulers and headers included. */
export const rowsOf = (markdown: string): string[][] =>
  markdown
    .split('\n')
    .filter(line => line.startsWith('|'))
    .map(line =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map(cell => cell.trim()),
    )

/** Takes the backticks off a cell that is code. */
export const uncode = (cell: string): string => /^`(.*)`$/.exec(cell)?.[1] ?? cell
