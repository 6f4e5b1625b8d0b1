import { Command, CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { ConfigError } from '../config/fault.ts'
import { talkingTo } from './api-options.ts'
import { addBatchCommands } from './batch-commands.ts'
import { CommandError } from './command-error.ts'
import type { Terminal } from './command-io.ts'
import { type ListKeysOptions, listKeys } from './commands/keys.ts'
import { type ShowLimitsOptions, showLimits } from './commands/limits.ts'
import { validateConfig } from './commands/validate-config.ts'
import { openConfig } from './open-config.ts'
import { addOperatorCommands } from './operator-commands.ts'

/** Runs one command line (without `node baton`) and answers its exit code. */
export const runBaton = async (args: readonly string[], terminal: Terminal): Promise<number> => {
  let exitCode = 0
  const program = createProgram(terminal, code => {
    exitCode = code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof ConfigError || error instanceof CommandError) {
      terminal.err(error.message)
      return 1
    }
    throw error
  }
}

interface CommonOptions {
  readonly config?: string
  readonly json: boolean
}

/** A command with the options that all have. `isDefault`: it is meant where its parent stands alone. */
export type AddCommand = (
  usage: string,
  description: string,
  parent?: Command,
  isDefault?: boolean,
) => Command

const createProgram = (terminal: Terminal, exit: (code: number) => void): Command => {
  const { out, cwd, env } = terminal
  const sources = (file: string | undefined) => ({ file, cwd, env })
  const program = new Command('baton')
    .description(manifest.description)
    .version(manifest.version)
    .exitOverride()
    .configureOutput({
      writeOut: text => out(text.trimEnd()),
      writeErr: text => terminal.err(text.trimEnd()),
    })
    .showHelpAfterError('(--help shows what there is)')

  const command: AddCommand = (usage, description, parent = program, isDefault = false) =>
    parent
      .command(usage, { isDefault })
      .description(description)
      .option('--config <file>', 'the config; else BATON_CONFIG, else ./baton.yaml')
      .option('--json', 'answer in JSON', false)

  command('validate-config [file]', 'Tell every fault of a config at once, and show its chains').action(
    (file: string | undefined, options: CommonOptions) =>
      exit(validateConfig(sources(file ?? options.config), options, out)),
  )
  command('list-keys', 'Show where the key of each provider in use comes from')
    .option('--check', 'ask each provider whether it takes them', false)
    .action(async (options: CommonOptions & ListKeysOptions) =>
      exit(await listKeys(openConfig(sources(options.config)), options, out)),
    )
  talkingTo(command)('show-limits', 'Show the limits of a provider beside the demand routes can send there')
    .requiredOption('--provider <name>', 'a provider of the config')
    .action(async (options: ShowLimitsOptions & CommonOptions) =>
      exit(await showLimits(openConfig(sources(options.config)).config, options, terminal)),
    )
  addBatchCommands(program, command, terminal, exit)
  addOperatorCommands(program, command, terminal, exit)
  return program
}
