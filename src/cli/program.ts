import { Command, CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { ConfigError } from '../config/fault.ts'
import { addInit } from './add-init.ts'
import { type AddCommand, type Adding, addCommonOptions, withApiOptions } from './api-options.ts'
import { addBatchCommands } from './batch-commands.ts'
import { commonHelp, groups } from './command-help.ts'
import type { CommandIo } from './command-io.ts'
import { CommandError } from './command-io.ts'
import { addCompletion } from './completion/add-completion.ts'
import { addConfigCommands } from './config-commands.ts'
import { addJobCommands } from './job-commands.ts'
import { addOperatorCommands } from './operator-commands.ts'
import { addServingCommands } from './serving-commands.ts'
import { addHelp, refuseStrayWords } from './stray-words.ts'

/** Commands by their old names, which work until 1.0. */
const renamedCommands: Readonly<Record<string, string>> = { 'list-keys': 'keys', 'show-limits': 'limits' }

/** Options of all commands, which may also stand before the command. */
const commonFlags: readonly string[] = ['--quiet', '--no-color']

const wordsOf = (args: readonly string[]): readonly string[] => {
  const at = args.findIndex(word => !commonFlags.includes(word))
  const [name, ...rest] = at < 0 ? [] : args.slice(at)
  return name === undefined ? [] : [renamedCommands[name] ?? name, ...args.slice(0, at), ...rest]
}

/** What commander says of a command line, in one line and as `stray-words.ts` says it. */
const inOurWords = (text: string): string =>
  text
    .replace(/\n\(Did you mean (one of )?(.+)\?\)/, (_, several, names) =>
      several ? `. Did you mean one of ${names}?` : `. Did you mean '${names}'?`,
    )
    .replace(/command-argument value '(.*)' is invalid for argument '(.+)'\./, `'$1' is no $2.`)

/** Runs one command line (without `node baton`) and answers its exit code. */
export const runBaton = async (args: readonly string[], terminal: CommandIo): Promise<number> => {
  let exitCode = 0
  const program = createProgram(terminal, code => {
    exitCode = code
  })
  try {
    await program.parseAsync(wordsOf(args), { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof ConfigError || error instanceof CommandError)) throw error
    terminal.err(error.message)
    return error instanceof CommandError ? error.exitCode : 1
  }
}

/**
 * All commands with their options. What a command does is loaded when it runs: help, completions and each other command
 * do not wait for it.
 */
export const createProgram = (terminal: CommandIo, exit: (code: number) => void): Command => {
  const { out, paint } = terminal
  const program = new Command('baton')
    .description(manifest.description)
    .version(manifest.version)
    .exitOverride()
    .configureOutput({
      writeOut: text => out(text.trimEnd()),
      writeErr: text => terminal.err(text.trimEnd()),
      outputError: (text, write) => write(inOurWords(text)),
    })
    .configureHelp({ styleTitle: text => paint('head', text) })
    .showHelpAfterError('(--help lists the commands and options)')
    .addHelpText('after', commonHelp)

  const command: AddCommand = (usage, description, { parent = program, isDefault = false, group } = {}) => {
    const added = addCommonOptions(parent.command(usage, { isDefault }).description(description))
    if (isDefault) refuseStrayWords(parent, added)
    return group === undefined ? added : added.helpGroup(groups[group])
  }
  const adding: Adding = { program, command, apiCommand: withApiOptions(command), exit }
  addServingCommands(program)
  addInit(adding, terminal)
  addConfigCommands(adding, terminal)
  addBatchCommands(adding, terminal)
  addJobCommands(adding, terminal)
  addOperatorCommands(adding, terminal)
  addCompletion(adding, terminal)
  addHelp(adding)
  return program
}
