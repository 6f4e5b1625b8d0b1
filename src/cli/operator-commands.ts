import { type Command, Option } from 'commander'
import { jobStatuses } from '../domain/job.ts'
import { type AddCommand, listed, parseLimit, withApiOptions } from './api-options.ts'
import type { CommandIo } from './command-io.ts'
import { listDeadLetters, redeliver } from './commands/dead-letters.ts'
import { type DiffOptions, diffConfig } from './commands/diff-config.ts'
import { explain } from './commands/explain.ts'
import { actOnJob, type ListJobsOptions, listJobs } from './commands/jobs.ts'
import { listMirrors, type MirrorOptions } from './commands/mirrors.ts'
import { listProviders, setProvider } from './commands/providers.ts'
import { listRoutes } from './commands/routes.ts'
import type { SimulateOptions } from './commands/simulate.ts'
import { status } from './commands/status.ts'
import { showUsage, type UsageOptions } from './commands/usage.ts'
import type { SessionOptions } from './session.ts'

interface Adding {
  readonly program: Command
  readonly apiCommand: AddCommand
  readonly terminal: CommandIo
  readonly exit: (code: number) => void
}

/** The commands of an operator, which talk to a running API. */
export const addOperatorCommands = (
  program: Command,
  command: AddCommand,
  terminal: CommandIo,
  exit: (code: number) => void,
): void => {
  const adding: Adding = { program, apiCommand: withApiOptions(command), terminal, exit }
  addStatus(adding)
  addProviders(adding)
  addRoutes(adding)
  addUsage(adding)
  addMirrors(adding)
  addJobs(adding)
  addDeadLetters(adding)
  addReasons(adding)
  addDiffConfig(adding)
}

const addStatus = ({ apiCommand, terminal, exit }: Adding): void => {
  apiCommand('status', 'Show whether jobs are accepted, and how the providers are').action(
    async (options: SessionOptions) => exit(await status(options, terminal)),
  )
}

const addDiffConfig = ({ apiCommand, terminal, exit }: Adding): void => {
  apiCommand(
    'diff-config [file]',
    'Show what a reload would change: with a file, from the config in use to that one; else in the running API',
  ).action(async (file: string | undefined, options: DiffOptions) =>
    exit(await diffConfig(file, options, terminal)),
  )
}

const addProviders = ({ program, apiCommand, terminal, exit }: Adding): void => {
  const providers = program.command('providers').description('List providers, and act on them')
  apiCommand('list', 'Health, queue and workers of each (default)', providers, true).action(
    async (options: SessionOptions) => exit(await listProviders(options, terminal)),
  )
  for (const [action, description] of [
    ['pause', 'Send no calls to a provider until it is resumed'],
    ['resume', 'Call a provider again, whatever kept it out of use'],
  ] as const) {
    const command = apiCommand(`${action} <name>`, description, providers)
    if (action === 'pause') command.option('--note <text>', 'why, for other operators to read')
    command.action(async (name: string, options: SessionOptions & { readonly note?: string }) =>
      exit(await setProvider(action, name, options, terminal)),
    )
  }
}

const addRoutes = ({ apiCommand, terminal, exit }: Adding): void => {
  apiCommand('routes', 'Show how each route chooses, and what is known of its targets').action(
    async (options: SessionOptions) => exit(await listRoutes(options, terminal)),
  )
}

const addUsage = ({ apiCommand, terminal, exit }: Adding): void => {
  apiCommand('usage', 'Show what jobs used and cost, by day')
    .option('--from <time>', 'a day or a time, of UTC where it names no zone (default: 7 days before --to)')
    .option('--to <time>', 'the same (default: now)')
    .addOption(
      new Option('--by <group>', 'what each day is broken down by')
        .choices(['route', 'provider', 'model', 'day'])
        .default('route'),
    )
    .option('--csv', 'print it as comma-separated values')
    .action(async (options: UsageOptions) => exit(await showUsage(options, terminal)))
}

const addMirrors = ({ apiCommand, terminal, exit }: Adding): void => {
  apiCommand('mirrors', 'Show how alike the answers of each mirror and its route are')
    .option('--pairs <route>', 'show the last answers that differed, if the mirror keeps them')
    .action(async (options: MirrorOptions) => exit(await listMirrors(options, terminal)))
}

const addJobs = ({ program, apiCommand, terminal, exit }: Adding): void => {
  const jobs = program.command('jobs').description('List jobs, and act on them')
  apiCommand('list', 'The newest jobs (default)', jobs, true)
    .option('--limit <count>', 'how many, 1 to 100', parseLimit, '20')
    .addOption(new Option('--status <status>', 'only jobs with this status').choices(jobStatuses))
    .option('--batch <id>', 'only lines of this batch that stand in no file yet')
    .option('--route <route>', 'only jobs for this route')
    .option('--provider <name>', 'only jobs that it answered, or is asked next')
    .option('--code <code>', 'only jobs that ended with this error')
    .option('--metadata <key=value>', 'only jobs with this metadata; may be given again', listed)
    .option('--since <time>', 'only jobs made from then on: a day, a time, or how long ago (90m)')
    .option('--until <time>', 'only jobs made before then')
    .action(async (options: ListJobsOptions) => exit(await listJobs(options, terminal)))
  for (const [action, description] of [
    ['show', 'Show one job; with --json also its answer'],
    ['cancel', 'End a job'],
    ['retry', 'Create a new job from one that failed, expired or was cancelled'],
  ] as const) {
    apiCommand(`${action} <id>`, description, jobs).action(async (id: string, options: SessionOptions) =>
      exit(await actOnJob(action, id, options, terminal)),
    )
  }
}

const addDeadLetters = ({ program, apiCommand, terminal, exit }: Adding): void => {
  const letters = program
    .command('dead-letters')
    .description('List webhooks that were given up, and send them again')
  apiCommand('list', 'The newest (default)', letters, true)
    .option('--limit <count>', 'how many, 1 to 100', parseLimit, '20')
    .option(
      '--after <cursor>',
      'only older ones than this: the cursor at the end of an earlier list, or an id',
    )
    .action(async (options: SessionOptions & { limit: string; after?: string }) =>
      exit(await listDeadLetters(options, terminal)),
    )
  apiCommand('redeliver <id>', 'Send the webhook of a job or a batch again', letters).action(
    async (id: string, options: SessionOptions) => exit(await redeliver(id, options, terminal)),
  )
}

const addReasons = ({ apiCommand, terminal, exit }: Adding): void => {
  apiCommand('explain <job>', 'Explain why a job went where it went').action(
    async (id: string, options: SessionOptions) => exit(await explain(id, options, terminal)),
  )
  apiCommand('simulate', 'Estimate what the config would do with the last jobs if a provider were gone')
    .requiredOption('--outage <provider>', 'a provider that is gone; may be given several times', listed)
    .option('--last <duration>', 'the jobs of this long until now: 15m, 1h, 1d', '1h')
    .action(async (options: SimulateOptions) => {
      // It takes with it what the workers stand on, for which no other command should wait.
      const { simulateOutage } = await import('./commands/simulate.ts')
      exit(await simulateOutage(options, terminal))
    })
}
