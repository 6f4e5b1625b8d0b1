import { type Adding, listed } from './api-options.ts'
import { withExamples } from './command-help.ts'
import type { CommandIo } from './command-io.ts'
import type { DiffOptions } from './commands/diff-config.ts'
import type { DoctorOptions } from './commands/doctor.ts'
import type { KeysOptions } from './commands/keys.ts'
import type { LimitsOptions } from './commands/limits.ts'

interface CommonOptions {
  readonly config?: string
  readonly json: boolean
}

/** What looks at a config and at what it names. */
export const addConfigCommands = ({ command, apiCommand, exit }: Adding, terminal: CommandIo): void => {
  const { out, cwd, env } = terminal
  const sources = (file: string | undefined) => ({ file, cwd, env })
  const open = async (file: string | undefined) => {
    const { openConfig } = await import('./open-config.ts')
    return openConfig(sources(file))
  }
  const group = 'config'

  const validate = command(
    'validate-config [file]',
    'Report every fault of a config at once, and show its chains',
    { group },
  ).action(async (file: string | undefined, options: CommonOptions) => {
    const { validateConfig } = await import('./commands/validate-config.ts')
    exit(validateConfig(sources(file ?? options.config), options, out))
  })
  withExamples(validate, ['baton validate-config', './baton.yaml, or what BATON_CONFIG names'])

  const diff = apiCommand(
    'diff-config [file]',
    'Show what a reload would change: with a file, from the config in use to that one; else in the running API',
    { group },
  ).action(async (file: string | undefined, options: DiffOptions) => {
    const { diffConfig } = await import('./commands/diff-config.ts')
    exit(await diffConfig(file, options, terminal))
  })
  withExamples(diff, ['baton diff-config new.yaml', 'what would be other with that file'])

  const keys = command('keys', 'Show the keys of the providers in use, and where each comes from', { group })
    .option('--check', 'ask each provider whether it accepts its keys', false)
    .action(async (options: CommonOptions & KeysOptions) => {
      const { listKeys } = await import('./commands/keys.ts')
      exit(await listKeys(await open(options.config), options, out))
    })
  withExamples(keys, ['baton keys --check', 'free of charge: models are listed'])

  const limits = apiCommand(
    'limits',
    'Show the limits of a provider beside the demand that routes can send there',
    { group },
  )
    .requiredOption('--provider <name>', 'a provider of the config')
    .action(async (options: LimitsOptions & CommonOptions) => {
      const { showLimits } = await import('./commands/limits.ts')
      exit(await showLimits((await open(options.config)).config, options, terminal))
    })
  withExamples(limits, ['baton limits --provider openai', 'configured, learned, and what may arrive'])

  const doctor = command(
    'doctor',
    'Look at Redis, clocks, files, providers, keys and webhooks, and tell what to mend',
    { group },
  )
    .option('--webhook <url>', 'also try to reach this receiver; may be given several times', listed, [])
    .action(async (options: CommonOptions & DoctorOptions) => {
      const { doctor } = await import('./commands/doctor.ts')
      exit(await doctor(sources(options.config), options, terminal))
    })
  withExamples(doctor, ['baton doctor --webhook https://example.com/hook', 'a receiver, too'])
}
