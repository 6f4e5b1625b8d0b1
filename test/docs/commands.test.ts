import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { runIn } from '../cli/run-in-folder.ts'
import { docPaths, readDoc, root } from './markdown.ts'

const scripts = Object.keys(manifest.scripts)

const matches = (path: string, pattern: RegExp): string[] => [
  ...new Set([...readDoc(path).matchAll(pattern)].map(match => match[1]!)),
]

const named = (pattern: RegExp): [doc: string, name: string][] =>
  docPaths.flatMap(path => matches(path, pattern).map((name): [string, string] => [path, name]))

test.each(named(/npm run ([\w:-]+)/g))('%s: npm run %s exists', (_, script) => {
  expect(scripts).toContain(script)
})

test.each(named(/npm (start|test)\b/g))('%s: npm %s exists', (_, script) => {
  expect(scripts).toContain(script)
})

test.each(named(/npx baton ([\w-]+)/g))('%s: npx baton %s exists', async (_, command) => {
  const { exitCode, out } = await runIn({}, `${command} --help`)
  expect(exitCode).toBe(0)
  expect(out).toContain(`Usage: baton ${command}`)
})

describe('what is linked exists', () => {
  const links = named(/\]\((?!https?:)([^)#]+)/g)
  test.each(links)('%s: %s', (doc, link) => {
    expect(existsSync(join(root, dirname(doc), link))).toBe(true)
  })
})

test.each(named(/((?:src|examples|docs)\/[\w/-]+\.\w+|baton\.example\.yaml|\.env\.example)/g))(
  '%s: the file %s exists',
  (_, path) => {
    expect(existsSync(join(root, path))).toBe(true)
  },
)
