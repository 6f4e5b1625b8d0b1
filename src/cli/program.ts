import { Command, CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { ConfigError } from '../config/fault.ts'
import { type AddCommand, listed, withApiOptions } from './api-options.ts'
import { addBatchCommands } from './batch-commands.ts'
import type { CommandIo } from './command-io.ts'
import { CommandError } from './command-io.ts'
import type { DoctorOptions } from './commands/doctor.ts'
import { type KeysOptions, listKeys } from './commands/keys.ts'
import { type LimitsOptions, showLimits } from './commands/limits.ts'
import { validateConfig } from './commands/validate-config.ts'
import { openConfig } from './open-config.ts'
import { addOperatorCommands } from './operator-commands.ts'
import { addServingCommands } from './serving-commands.ts'

/** Commands by their old names, which work until 1.0. */
const renamedCommands: Readonly<Record<string, string>> = { 'list-keys': 'keys', 'show-limits': 'limits' }

/** Runs one command line (without `node baton`) and answers its exit code. */
export const runBaton = async (args: readonly string[], terminal: CommandIo): Promise<number> => {
  let exitCode = 0
  const program = createProgram(terminal, code => {
    exitCode = code
  })
  try {
    const [name = '', ...rest] = args
    await program.parseAsync(args.length === 0 ? [] : [renamedCommands[name] ?? name, ...rest], {
      from: 'user',
    })
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

const createProgram = (terminal: CommandIo, exit: (code: number) => void): Command => {
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
    .showHelpAfterError('(--help lists the commands and options)')

  const command: AddCommand = (usage, description, parent = program, isDefault = false) =>
    parent
      .command(usage, { isDefault })
      .description(description)
      .option('--config <file>', 'the config file (default: BATON_CONFIG, else ./baton.yaml)')
      .option('--json', 'print JSON', false)

  addServingCommands(program)
  command('validate-config [file]', 'Report every fault of a config at once, and show its chains').action(
    (file: string | undefined, options: CommonOptions) =>
      exit(validateConfig(sources(file ?? options.config), options, out)),
  )
  command('keys', 'Show the keys of the providers in use, and where each comes from')
    .option('--check', 'ask each provider whether it accepts its keys', false)
    .action(async (options: CommonOptions & KeysOptions) =>
      exit(await listKeys(openConfig(sources(options.config)), options, out)),
    )
  withApiOptions(command)(
    'limits',
    'Show the limits of a provider beside the demand that routes can send there',
  )
    .requiredOption('--provider <name>', 'a provider of the config')
    .action(async (options: LimitsOptions & CommonOptions) =>
      exit(await showLimits(openConfig(sources(options.config)).config, options, terminal)),
    )
  command('doctor', 'Look at Redis, clocks, files, providers, keys and webhooks, and tell what to mend')
    .option('--webhook <url>', 'also try to reach this receiver; may be given several times', listed, [])
    .action(async (options: CommonOptions & DoctorOptions) => {
      // It takes with it what the workers stand on, for which no other command should wait.
      const { doctor } = await import('./commands/doctor.ts')
      exit(await doctor(sources(options.config), options, out))
    })
  addBatchCommands(program, command, terminal, exit)
  addOperatorCommands(program, command, terminal, exit)
  return program
}
