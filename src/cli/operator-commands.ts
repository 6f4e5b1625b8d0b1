import { type Command, Option } from 'commander'
import { jobStatuses } from '../domain/job.ts'
import { talkingTo } from './api-options.ts'
import type { Terminal } from './command-io.ts'
import { listDeadLetters, redeliver } from './commands/dead-letters.ts'
import { explain } from './commands/explain.ts'
import { actOnJob, type ListJobsOptions, listJobs } from './commands/jobs.ts'
import { listMirrors, type MirrorOptions } from './commands/mirrors.ts'
import { listProviders, setProvider } from './commands/providers.ts'
import { listRoutes } from './commands/routes.ts'
import type { SimulateOptions } from './commands/simulate.ts'
import { status } from './commands/status.ts'
import { asLimit } from './parse-limit.ts'
import type { AddCommand } from './program.ts'
import type { SessionOptions } from './session.ts'

interface Adding {
  readonly program: Command
  readonly talking: AddCommand
  readonly terminal: Terminal
  readonly exit: (code: number) => void
}

/** What an operator looks at and acts on through a running API. */
export const addOperatorCommands = (
  program: Command,
  command: AddCommand,
  terminal: Terminal,
  exit: (code: number) => void,
): void => {
  const adding: Adding = { program, talking: talkingTo(command), terminal, exit }
  addStatus(adding)
  addProviders(adding)
  addRoutes(adding)
  addMirrors(adding)
  addJobs(adding)
  addDeadLetters(adding)
  addReasons(adding)
}

const addStatus = ({ talking, terminal, exit }: Adding): void => {
  talking('status', 'Tell whether jobs are taken, and how the providers are').action(
    async (options: SessionOptions) => exit(await status(options, terminal)),
  )
}

const addProviders = ({ program, talking, terminal, exit }: Adding): void => {
  const providers = program.command('providers').description('Look at providers, and act on them')
  talking('list', 'Health, queue and workers of each; this when nothing is said', providers, true).action(
    async (options: SessionOptions) => exit(await listProviders(options, terminal)),
  )
  for (const [action, description] of [
    ['pause', 'Keep a provider out of use until it is resumed'],
    ['resume', 'Use a paused provider again'],
  ] as const) {
    talking(`${action} <name>`, description, providers).action(
      async (name: string, options: SessionOptions) =>
        exit(await setProvider(action, name, options, terminal)),
    )
  }
}

const addRoutes = ({ talking, terminal, exit }: Adding): void => {
  talking('routes', 'How each route chooses, and what is known of its targets').action(
    async (options: SessionOptions) => exit(await listRoutes(options, terminal)),
  )
}

const addMirrors = ({ talking, terminal, exit }: Adding): void => {
  talking('mirrors', 'How alike the answers of each mirror and its route are')
    .option('--pairs <route>', 'the last answers that differed, where the mirror keeps them')
    .action(async (options: MirrorOptions) => exit(await listMirrors(options, terminal)))
}

const addJobs = ({ program, talking, terminal, exit }: Adding): void => {
  const jobs = program.command('jobs').description('Look at jobs, and act on them')
  talking('list', 'The newest jobs; this when nothing is said', jobs, true)
    .option('--limit <count>', 'how many, up to 100', asLimit, '20')
    .addOption(new Option('--status <status>', 'only these').choices(jobStatuses))
    .option('--batch <id>', 'only lines of this batch that have not ended')
    .action(async (options: ListJobsOptions) => exit(await listJobs(options, terminal)))
  for (const [action, description] of [
    ['show', 'One job, as it is now; with --json also its answer'],
    ['cancel', 'End a job'],
    ['retry', 'Make a new job of one that failed, expired or was cancelled'],
  ] as const) {
    talking(`${action} <id>`, description, jobs).action(async (id: string, options: SessionOptions) =>
      exit(await actOnJob(action, id, options, terminal)),
    )
  }
}

const addDeadLetters = ({ program, talking, terminal, exit }: Adding): void => {
  const letters = program.command('dead-letters').description('Look at webhooks that were given up')
  talking('list', 'The newest; this when nothing is said', letters, true)
    .option('--limit <count>', 'how many, up to 100', asLimit, '20')
    .option('--after <cursor>', 'older ones than this: what an earlier list ended with, or an id')
    .action(async (options: SessionOptions & { limit: string; after?: string }) =>
      exit(await listDeadLetters(options, terminal)),
    )
  talking('redeliver <id>', 'Send the webhook of a job or a batch again', letters).action(
    async (id: string, options: SessionOptions) => exit(await redeliver(id, options, terminal)),
  )
}

const addReasons = ({ talking, terminal, exit }: Adding): void => {
  talking('explain <job>', 'Tell why a job went where it went').action(
    async (id: string, options: SessionOptions) => exit(await explain(id, options, terminal)),
  )
  talking('simulate', 'Tell what the config would do with the last jobs were a provider gone')
    .requiredOption(
      '--outage <provider>',
      'a provider that is out of use; may be given several times',
      listed,
    )
    .option('--last <duration>', 'the jobs of how long: 15m, 1h, 1d', '1h')
    .action(async (options: SimulateOptions) => {
      // It takes with it what the workers stand on, for which no other command should wait.
      const { simulateOutage } = await import('./commands/simulate.ts')
      exit(await simulateOutage(options, terminal))
    })
}

const listed = (name: string, others: readonly string[] = []): readonly string[] => [...others, name]
