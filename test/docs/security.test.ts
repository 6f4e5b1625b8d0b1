import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorCodes } from '../../src/domain/errors.ts'
import { readDoc, root, rowsOf, uncode } from './markdown.ts'

const text = readDoc('SECURITY.md')
const words = [...text.matchAll(/`([^`\n]+)`/g)].map(([, word]) => word!)

describe('SECURITY.md', () => {
  test('the README leads to SECURITY.md', () => {
    expect(readDoc('README.md')).toContain('](SECURITY.md)')
  })

  test('SECURITY.md names settings, error codes and files that exist', () => {
    const settings = new Set(rowsOf(readDoc('docs/config.md')).map(([key]) => uncode(key!)))
    const named = words.filter(word =>
      /^(?:server|webhooks|jobs|batches|limits|storage|files|redis)\.\w+$/.test(word),
    )
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter(word => !settings.has(word))).toEqual([])
    const codes = words.filter(word => /^[a-z]+_(?:denied|forbidden)$/.test(word))
    expect(codes.filter(code => !(code in errorCodes))).toEqual([])
    const paths = words.filter(word => /\.(?:ts|yml)$/.test(word))
    expect(paths.filter(path => !existsSync(join(root, path)))).toEqual([])
  })
})
