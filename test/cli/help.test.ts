import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { createProgram } from '../../src/cli/program.ts'
import { plain } from '../../src/terminal/paint.ts'
import { stillIo } from './command.ts'
import { runIn } from './run-in-folder.ts'

const programOf = (): Command => createProgram(stillIo, () => undefined)

const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)

const pathOf = (command: Command): string[] =>
  command.parent === null ? [] : [...pathOf(command.parent), command.name()]

const paths = leaves(programOf()).map(command => pathOf(command).join(' '))

/** Words as a shell reads them, as far as the examples need: quotes, no expansion. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!)

describe('help', () => {
  test.each(paths)(
    'baton %s --help has examples, each of which is a command line that is understood',
    async path => {
      const { exitCode, out } = await runIn({}, `${path} --help`)
      expect(exitCode).toBe(0)
      const [, text] = out.split('\nExamples:\n')
      expect(text).toBeDefined()
      const examples = text!.split('\n\n')[0]!.split('\n')
      expect(examples.length).toBeGreaterThan(0)
      for (const example of examples) {
        const [, line] = /^ {2}\$ (?:.*\||source <\()?\s*(baton .*?)(?:\)? {2,}.*|\)? > .*|\))?$/.exec(
          example,
        )!
        const program = programOf()
        for (const command of leaves(program)) command.action(() => undefined).exitOverride()
        await expect(
          program.parseAsync(wordsOf(line!).slice(1), { from: 'user' }),
          example,
        ).resolves.toBeDefined()
      }
    },
  )

  test('lists each command under a heading, within 80 columns', async () => {
    const { out } = await runIn({}, '--help')
    for (const command of programOf().commands) expect(command.helpGroup(), command.name()).not.toBe('')
    expect(out.split('\n').filter(line => line.length > 80)).toEqual([])
    expect(plain('bad', out)).toBe(out)
  })

  test('every command that ends takes what is said to be for all', () => {
    const serving = ['serve', 'worker', 'healthcheck']
    const all = leaves(programOf()).filter(command => !serving.includes(command.name()))
    expect(all.length).toBeGreaterThan(20)
    for (const command of all)
      expect([command.name(), command.options.map(({ long }) => long)]).toEqual([
        command.name(),
        expect.arrayContaining(['--quiet', '--no-color']),
      ])
  })

  test.each([['--quiet batches --help'], ['--no-color batches --help'], ['batches --no-color --help']])(
    'an option of all commands may stand anywhere: %s',
    async line => {
      expect(await runIn({}, line)).toMatchObject({
        exitCode: 0,
        out: expect.stringContaining('Usage: baton batches'),
      })
    },
  )
})
