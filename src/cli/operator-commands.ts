import { Option } from 'commander'
import { type Adding, listed, watchOption } from './api-options.ts'
import { groups, withExamples } from './command-help.ts'
import type { CommandIo } from './command-io.ts'
import type { MirrorOptions } from './commands/mirrors.ts'
import type { SimulateOptions } from './commands/simulate.ts'
import type { UsageOptions } from './commands/usage.ts'
import type { SessionOptions } from './session.ts'
import type { WatchOptions } from './watching.ts'

/** The commands of an operator, which talk to a running API. */
export const addOperatorCommands = (adding: Adding, terminal: CommandIo): void => {
  addStatus(adding, terminal)
  addProviders(adding, terminal)
  addRoutes(adding, terminal)
  addUsage(adding, terminal)
  addMirrors(adding, terminal)
  addSimulate(adding, terminal)
}

const group = 'operate'

const addStatus = ({ apiCommand, exit }: Adding, terminal: CommandIo): void => {
  const command = apiCommand('status', 'Show whether jobs are accepted, and how the providers are', { group })
    .option(...watchOption)
    .action(async (options: SessionOptions & WatchOptions) => {
      const { status } = await import('./commands/status.ts')
      exit(await status(options, terminal))
    })
  withExamples(
    command,
    ['baton status', 'ends with 1 where a person should look'],
    ['baton status --watch', 'during an outage'],
  )
}

const addProviders = ({ program, apiCommand, exit }: Adding, terminal: CommandIo): void => {
  const parent = program
    .command('providers')
    .description('List providers, and act on them')
    .helpGroup(groups.operate)
  const list = apiCommand('list', 'Health, queue and workers of each (default)', {
    parent,
    isDefault: true,
  }).action(async (options: SessionOptions) => {
    const { listProviders } = await import('./commands/providers.ts')
    exit(await listProviders(options, terminal))
  })
  withExamples(list, ['baton providers --json', 'for a program'])
  for (const [action, description, example] of [
    [
      'pause',
      'Send no calls to a provider until it is resumed',
      'baton providers pause openai --note "invoice 4711"',
    ],
    ['resume', 'Call a provider again, whatever kept it out of use', 'baton providers resume openai'],
  ] as const) {
    const command = apiCommand(`${action} <name>`, description, { parent })
    if (action === 'pause') command.option('--note <text>', 'why, for other operators to read')
    command.action(async (name: string, options: SessionOptions & { readonly note?: string }) => {
      const { setProvider } = await import('./commands/providers.ts')
      exit(await setProvider(action, name, options, terminal))
    })
    withExamples(command, [example, ''])
  }
}

const addRoutes = ({ apiCommand, exit }: Adding, terminal: CommandIo): void => {
  const command = apiCommand('routes', 'Show how each route chooses, and what is known of its targets', {
    group,
  }).action(async (options: SessionOptions) => {
    const { listRoutes } = await import('./commands/routes.ts')
    exit(await listRoutes(options, terminal))
  })
  withExamples(command, ['baton routes', 'targets in the order in which they are asked now'])
}

const addUsage = ({ apiCommand, exit }: Adding, terminal: CommandIo): void => {
  const command = apiCommand('usage', 'Show what jobs used and cost, by day', { group })
    .option('--from <time>', 'a day or a time, of UTC where it names no zone (default: 7 days before --to)')
    .option('--to <time>', 'the same (default: now)')
    .addOption(
      new Option('--by <group>', 'what each day is broken down by')
        .choices(['route', 'provider', 'model', 'day'])
        .default('route'),
    )
    .option('--csv', 'print it as comma-separated values')
    .action(async (options: UsageOptions) => {
      const { showUsage } = await import('./commands/usage.ts')
      exit(await showUsage(options, terminal))
    })
  withExamples(
    command,
    ['baton usage --by provider', 'of the last seven days'],
    ['baton usage --from 2025-12-01 --to 2026-01-01 --csv', 'a month, for a spreadsheet'],
  )
}

const addMirrors = ({ apiCommand, exit }: Adding, terminal: CommandIo): void => {
  const command = apiCommand('mirrors', 'Show how alike the answers of each mirror and its route are', {
    group,
  })
    .option('--pairs <route>', 'show the last answers that differed, if the mirror keeps them')
    .action(async (options: MirrorOptions) => {
      const { listMirrors } = await import('./commands/mirrors.ts')
      exit(await listMirrors(options, terminal))
    })
  withExamples(command, ['baton mirrors --pairs gpt-5.4', 'read what differs'])
}

const addSimulate = ({ apiCommand, exit }: Adding, terminal: CommandIo): void => {
  const command = apiCommand(
    'simulate',
    'Estimate what the config would do with the last jobs if a provider were gone',
    { group },
  )
    .requiredOption('--outage <provider>', 'a provider that is gone; may be given several times', listed)
    .option('--last <duration>', 'the jobs of this long until now: 15m, 1h, 1d', '1h')
    .action(async (options: SimulateOptions) => {
      const { simulateOutage } = await import('./commands/simulate.ts')
      exit(await simulateOutage(options, terminal))
    })
  withExamples(
    command,
    ['baton simulate --outage openai --last 1d', 'would the others have room?'],
    ['baton simulate --outage openai --config new.yaml', 'and with another config?'],
  )
}
