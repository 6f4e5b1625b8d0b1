import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readDoc, root } from './markdown.ts'

interface Linted {
  readonly messages: readonly { readonly line: number; readonly rule: string; readonly message: string }[]
}

/**
 * Of the linter, whose first rule is the schema of the Compose Specification. Off in `.dclintrc` are its orders of keys and
 * services, since what stands for all comes first here, and a rule that takes words with a variable in them for plain ones.
 */
const faultsOf = (path: string): readonly string[] => {
  const words = ['--formatter', 'json', '--config', join(root, '.dclintrc'), path]
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/dclint'), words, { encoding: 'utf8', cwd: root })
  const linted = JSON.parse(stdout) as readonly Linted[]
  return linted.flatMap(({ messages }) =>
    messages.map(({ line, rule, message }) => `${line}: ${rule}: ${message}`),
  )
}

const changed = (from: string, to: string): readonly string[] => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-compose-lint-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const text = readDoc('docker-compose.yml')
  expect(text).toContain(from)
  const path = join(dir, 'docker-compose.yml')
  writeFileSync(path, text.replace(from, to))
  return faultsOf(path)
}

describe('docker-compose.yml', () => {
  test('is as the Compose Specification and its linter want it', () => {
    expect(faultsOf(join(root, 'docker-compose.yml'))).toEqual([])
  })

  test.each([
    ['image: baton\n', 'image: baton\n  imaje: baton\n', /invalid-schema/],
    ['restart: unless-stopped', 'restart: [always]', /invalid-schema/],
    ['ports: ["127.0.0.1:8000:8000"]', 'ports: ["8000:8000"]', /no-unbound-port-interfaces/],
    ['name: baton\n', '', /require-project-name-field/],
  ])('%j as %j is told', (from, to, fault) => {
    expect(changed(from, to).join('\n')).toMatch(fault)
  })
})
