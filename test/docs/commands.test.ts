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

describe('commands and links in the docs', () => {
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

  /** The name that GitHub gives a heading, for links to it. */
  const anchorOf = (heading: string): string =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-')

  const anchorsOf = (markdown: string): string[] =>
    [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!))

  describe('a link of a page leads somewhere', () => {
    test.each(named(/\]\((?!https?:)([^)]+)\)/g))('%s: %s', (doc, link) => {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? doc : join(dirname(doc), path)
      expect(existsSync(join(root, target))).toBe(true)
      if (anchor !== undefined) expect(anchorsOf(readDoc(target))).toContain(anchor)
    })
  })

  test('docs/README.md lists every page', () => {
    const linked = matches('docs/README.md', /\]\(([^)/]+\.md)\)/g).map(name => `docs/${name}`)
    const pages = docPaths.filter(path => path !== 'README.md' && path !== 'docs/README.md')
    expect(linked.toSorted()).toEqual(pages.toSorted())
  })

  const folders = 'src|workers|demo|harness|bench|chaos|soak|test|examples|docs'
  const paths = new RegExp(
    `(?<![\\w/.:-])((?:${folders})/[\\w/-]+(?:\\.\\w+)*|baton\\.example\\.yaml|\\.env\\.example)`,
    'g',
  )

  test.each(named(paths))('%s: the path %s exists', (_, path) => {
    expect(existsSync(join(root, path))).toBe(true)
  })
})
