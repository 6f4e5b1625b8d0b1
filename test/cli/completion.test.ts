import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { jobStatuses } from '../../src/domain/job.ts'
import { runIn } from './run-in-folder.ts'

const scriptOf = async (shell: string): Promise<string> => {
  const { exitCode, out } = await runIn({}, `completion ${shell}`)
  expect(exitCode).toBe(0)
  return out
}

const hasShell = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0

/** A folder with the script and two files in it. */
const place = (script: string): { cwd: string; file: string } => {
  const cwd = mkdtempSync(join(tmpdir(), 'baton-completion-'))
  onTestFinished(() => rmSync(cwd, { recursive: true }))
  for (const name of ['in.jsonl', 'inner']) writeFileSync(join(cwd, name), '')
  writeFileSync(join(cwd, 'script'), script)
  return { cwd, file: join(cwd, 'script') }
}

/** What stands before the cursor, and some of what may follow. */
const cases: readonly (readonly [words: readonly string[], ...offered: string[]])[] = [
  [['ba'], 'batches'],
  [['batches', ''], 'list', 'wait', 'cancel'],
  [['batches', 'wa'], 'wait'],
  [['jobs', '--sta'], '--status'],
  [['jobs', 'list', '--status', ''], ...jobStatuses],
  [['usage', '--by', 'mo'], 'model'],
  [['submit', 'in'], 'in.jsonl', 'inner'],
  [['submit', '--output', 'in.'], 'in.jsonl'],
  [['completion', ''], 'bash', 'zsh', 'fish'],
  [['providers', 'pause', 'openai', '--n'], '--note'],
]

describe('completion', () => {
  test('bash completes commands, options, their values and files', async () => {
    const { cwd, file } = place(await scriptOf('bash'))
    const tries = cases.map(([words]) => {
      const line = ['baton', ...words].map(word => `'${word}'`).join(' ')
      return `COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _baton; echo " \${COMPREPLY[*]} "`
    })
    const lines = execFileSync('bash', ['-c', `source ${file}\n${tries.join('\n')}`], {
      cwd,
      encoding: 'utf8',
    })
    for (const [i, offered] of lines.trimEnd().split('\n').entries())
      for (const word of cases[i]!.slice(1))
        expect(offered, cases[i]![0].join(' ')).toContain(` ${word as string} `)
  })

  test.skipIf(!hasShell('fish'))('fish does', async () => {
    const { cwd, file } = place(await scriptOf('fish'))
    const tries = cases.map(([words]) => `echo (complete -C 'baton ${words.join(' ')}')`)
    const lines = execFileSync('fish', ['-c', `source ${file}\n${tries.join('\n')}`], {
      cwd,
      encoding: 'utf8',
    })
    for (const [i, offered] of lines.trimEnd().split('\n').entries())
      for (const word of cases[i]!.slice(1)) expect(offered, cases[i]![0].join(' ')).toContain(word)
  })

  test.skipIf(!hasShell('zsh'))('zsh takes its script as one of its own', async () => {
    const { cwd, file } = place(await scriptOf('zsh'))
    const load = `autoload -Uz compinit; compinit -u -D; source ${file}; print $_comps[baton]`
    expect(execFileSync('zsh', ['-fc', load], { cwd, encoding: 'utf8' })).toBe('_baton\n')
  })
})
