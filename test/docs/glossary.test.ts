import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readDoc, root, tableAfter, uncode } from './markdown.ts'

const rows = tableAfter(readDoc('docs/glossary.md'), '| word |')
const words = rows.map(([word]) => word!)

/** Each file of the code with its path, which has words as well. */
const sources = globSync('src/**/*.{ts,lua}', { cwd: root }).map(
  path => `${path}\n${readFileSync(join(root, path), 'utf8')}`,
)

/** A word as prose, as an identifier and as a field: `dead letter`, `deadLetter`, `dead_letter`. */
const patternOf = (word: string): RegExp => new RegExp(word.replace(/[ -]/g, '[ _-]?'), 'i')

describe('docs/glossary.md', () => {
  test('docs/glossary.md has at most 40 words, each once', () => {
    expect(words.length).toBeGreaterThan(20)
    expect(words.length).toBeLessThanOrEqual(40)
    expect(new Set(words).size).toBe(words.length)
  })

  test.each(rows)(
    'docs/glossary.md: %s is a word of the code, in the room that it names',
    (word, _, where) => {
      const room = uncode(where!)
      expect(existsSync(join(root, room))).toBe(true)
      const says = sources.filter(
        text => text.startsWith(`${room}/`) && patternOf(word!).test(text.slice(room.length)),
      )
      expect(says).not.toEqual([])
    },
  )
})
