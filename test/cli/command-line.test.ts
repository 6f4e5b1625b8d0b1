import { execFile, spawn as start } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { createProgram } from '../../src/cli/program.ts'
import { configFolder } from '../config/config-folder.ts'
import { stillIo } from './command.ts'
import { runIn } from './run-in-folder.ts'

const root = join(import.meta.dirname, '../..')
const entry = join(root, manifest.bin.baton)

interface Ended {
  readonly code: unknown
  readonly stdout: string
  readonly stderr: string
}

const spawn = (
  file: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<Ended> =>
  new Promise(resolve => {
    execFile(file, args, { cwd, env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    )
  })

describe('the command line of baton', () => {
  describe('a command line that is not understood ends with 2', () => {
    test.each([
      ['a typo', 'validat-config', "unknown command 'validat-config'. Did you mean 'validate-config'?\n"],
      ['an unknown option', 'validate-config --jsno', "unknown option '--jsno'. Did you mean '--json'?\n"],
      ['an option left out', 'limits', "required option '--provider <name>' not specified"],
      ['an option without its value', 'keys --config', "option '--config <file>' argument missing"],
      ['too many arguments', 'validate-config a b', 'too many arguments'],
      ['too many arguments of a list', 'jobs list lst', "too many arguments for 'list'"],
      ['no command, behind an option', 'jobs --limit 5 lst', "unknown command 'lst'. Did you mean 'list'?\n"],
      ['no command of a group', 'jobs frob', "unknown command 'frob'. There are list, show, cancel, retry\n"],
      ['help for no command', 'help jobs lst', "unknown command 'lst'. Did you mean 'list'?\n"],
      ['help for none of a group', 'jobs help lst', "unknown command 'lst'. Did you mean 'list'?\n"],
      [
        'an argument that is no choice',
        'completion tcsh',
        "error: 'tcsh' is no shell. Allowed choices are bash,",
      ],
      ['a time that is none', 'usage --from yesterdy', '--from must be a day or a time'],
      ['no command', '', 'Usage: baton'],
    ])('%s', async (_, commandLine, message) => {
      const { exitCode, out, err } = await runIn({}, commandLine)
      expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
      expect(err).toContain(message)
    })
  })

  const groups = createProgram(stillIo, () => undefined).commands.filter(({ commands }) =>
    commands.some(command => command.name() === 'list'),
  )
  test.each(groups.map(group => group.name()))('baton %s has no command "lst"', async name => {
    const { exitCode, err } = await runIn({}, `${name} lst --url http://127.0.0.1:1`)
    expect({ exitCode, err }).toEqual({
      exitCode: 2,
      err: expect.stringMatching(/^error: unknown command 'lst'\. Did you mean 'list'\?\n/),
    })
  })

  test.each([
    ['--help', 'validate-config'],
    ['keys --help', '--config <file>'],
    ['help jobs cancel', 'Usage: baton jobs cancel'],
    ['jobs help cancel', 'Usage: baton jobs cancel'],
    ['help', 'Usage: baton [options]'],
    ['list-keys --help', 'Usage: baton keys'],
    ['show-limits --help', 'Usage: baton limits'],
    ['--version', manifest.version],
  ])('%s ends with 0', async (commandLine, text) => {
    const { exitCode, out, err } = await runIn({}, commandLine)
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(out).toContain(text)
  })

  describe('the real thing', () => {
    const files = { 'baton.yaml': 'providers: {p: {type: simulated}}\nmodels: {m: {provider: p}}\n' }

    test('may be executed', () => {
      expect(() => accessSync(entry, constants.X_OK)).not.toThrow()
    })

    test('reads ./baton.yaml and writes to standard output', async () => {
      const { code, stdout } = await spawn(
        process.execPath,
        [entry, 'validate-config'],
        configFolder(files),
        {},
      )
      expect(code).toBe(0)
      expect(stdout).toMatch(/^m: p\/m$/m)
    })

    test('ends with 1 and one clear message for a wrong file, without a stack', async () => {
      const args = [entry, 'limits', '--provider', 'p']
      const { code, stdout, stderr } = await spawn(process.execPath, args, configFolder({}), {
        BATON_CONFIG: 'gone.yaml',
      })
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(/gone\.yaml:\n {2}there is no such file\n$/)
    })

    test('has colours in no pipe, but where it is told to', async () => {
      const help = async (env: Record<string, string>, ...words: string[]) => {
        const program = [process.env.BATON_PROGRAM!, '--help', ...words]
        const { code, stdout } = await spawn(process.execPath, program, root, env)
        expect([code, stripVTControlCharacters(stdout)]).toEqual([0, expect.stringContaining('Usage: baton')])
        return stripVTControlCharacters(stdout) !== stdout
      }
      const forced = { FORCE_COLOR: '1' }
      const asked = [help({}), help({ FORCE_COLOR: '0' }), help(forced), help(forced, '--no-color')]
      expect(await Promise.all(asked)).toEqual([false, false, true, false])
    })

    test('says which Node it needs, before it loads what an older one cannot', async () => {
      const old =
        "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.4' } })"
      const words = ['--import', `data:text/javascript,${old}`, process.env.BATON_PROGRAM!]
      for (const command of ['--version', 'serve'])
        expect(await spawn(process.execPath, [...words, command], root, {})).toEqual({
          code: 1,
          stdout: '',
          stderr: expect.stringMatching(/^Baton needs Node 22 or later; this is 20\.19\.4\. /),
        })
    })

    test('ends without a word when nobody reads any more', async () => {
      const child = start(process.execPath, [entry, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
      child.stdout.destroy()
      let stderr = ''
      child.stderr.on('data', chunk => {
        stderr += chunk
      })
      const [code] = await once(child, 'close')
      expect({ code, stderr }).toEqual({ code: 141, stderr: '' })
    })

    test('`npx baton` works in the checkout, offline, on whatever Node npx runs on', async () => {
      const env = {
        OPENAI_API_KEY: 'a',
        ANTHROPIC_API_KEY: 'b',
        npm_config_cache: configFolder({}),
        npm_config_registry: 'http://127.0.0.1:1',
      }
      const { code, stdout } = await spawn(
        'npx',
        ['baton', 'validate-config', 'baton.example.yaml'],
        root,
        env,
      )
      expect(code).toBe(0)
      expect(stdout).toMatch(/^gpt-5.4: openai\/gpt-5.4-2026-03-05 -> anthropic\/claude-opus-4-8 -> /m)
    })
  })
})
