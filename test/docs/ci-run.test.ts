import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readDoc, root } from './markdown.ts'

describe('.ci/run', () => {
  test('.ci/run is what the README asks a newcomer to run', async () => {
    await access(join(root, '.ci/run'), constants.X_OK)
    const commands = readDoc('.ci/run')
      .split('\n')
      .filter(line => /^[^#\s]/.test(line))
    expect(commands).toEqual(['set -euo pipefail', expect.stringMatching(/^cd /), 'npm ci && npm test'])
    expect(readDoc('README.md')).toContain('\nnpm ci && npm test\n')
  })

  const runSuite = async (files: Record<string, string>): Promise<{ code: unknown; lastLine: string }> => {
    const dir = await mkdtemp(join(tmpdir(), 'baton-suite-'))
    onTestFinished(() => rm(dir, { recursive: true }))
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text)
    const reporter = JSON.stringify(join(root, 'test/support/plain-summary.ts'))
    await writeFile(
      join(dir, 'vitest.config.ts'),
      `import { createPlainSummary } from ${reporter}
     export default { test: { globals: true, reporters: [createPlainSummary()] } }`,
    )
    return new Promise(resolve => {
      const vitest = join(root, 'node_modules/vitest/vitest.mjs')
      execFile(process.execPath, [vitest, 'run', '--root', dir], (error, stdout) =>
        resolve({ code: error ? error.code : 0, lastLine: stdout.trimEnd().split('\n').at(-1)! }),
      )
    })
  }

  test('a run ends with its counts', async () => {
    const passing = `test('a', () => {}); test.skipIf(true)('b', () => {}); test('c', () => {})`
    expect(await runSuite({ 'a.test.ts': passing })).toEqual({
      code: 0,
      lastLine: 'tests: 2 passed, 0 failed, 1 skipped',
    })
  })

  test('a failed test, a file that does not load and a failed hook all count as failed', async () => {
    const files = {
      'a.test.ts': `test('a', () => { throw new Error('no') })`,
      'b.test.ts': `throw new Error('not loaded')`,
      'c.test.ts': `describe('c', () => { afterAll(() => { throw new Error('no') }); test('c', () => {}) })`,
    }
    expect(await runSuite(files)).toEqual({ code: 1, lastLine: 'tests: 1 passed, 3 failed' })
  })
})
