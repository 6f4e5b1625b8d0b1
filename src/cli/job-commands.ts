import { Option } from 'commander'
import { jobStatuses } from '../domain/job.ts'
import { type Adding, listed, parseLimit, watchOption } from './api-options.ts'
import { groups, withExamples } from './command-help.ts'
import type { CommandIo } from './command-io.ts'
import type { ListJobsOptions } from './commands/jobs.ts'
import type { SessionOptions } from './session.ts'

/** What looks at single jobs and at their webhooks, and acts on them. */
export const addJobCommands = (adding: Adding, terminal: CommandIo): void => {
  addJobs(adding, terminal)
  addExplain(adding, terminal)
  addDeadLetters(adding, terminal)
}

const addJobs = ({ program, apiCommand, exit }: Adding, terminal: CommandIo): void => {
  const jobs = program.command('jobs').description('List jobs, and act on them').helpGroup(groups.jobs)
  const list = apiCommand('list', 'The newest jobs (default)', { parent: jobs, isDefault: true })
    .option('--limit <count>', 'how many, 1 to 100', parseLimit, '20')
    .addOption(new Option('--status <status>', 'only jobs with this status').choices(jobStatuses))
    .option('--batch <id>', 'only lines of this batch that stand in no file yet')
    .option('--route <route>', 'only jobs for this route')
    .option('--provider <name>', 'only jobs that it answered, or is asked next')
    .option('--code <code>', 'only jobs that ended with this error')
    .option('--metadata <key=value>', 'only jobs with this metadata; may be given again', listed)
    .option('--since <time>', 'only jobs made from then on: a day, a time, or how long ago (90m)')
    .option('--until <time>', 'only jobs made before then')
    .option(...watchOption)
    .action(async (options: ListJobsOptions) => {
      const { listJobs } = await import('./commands/jobs.ts')
      exit(await listJobs(options, terminal))
    })
  withExamples(
    list,
    ['baton jobs --status parked --watch', 'what waits for a provider, as it changes'],
    ['baton jobs --since 90m --code rate_limited --json', 'for a program'],
    ['baton jobs --metadata team=search --route gpt-5.4', 'of one team, for one route'],
  )
  for (const [action, description, example] of [
    ['show', 'Show one job; with --json also its answer', 'baton jobs show JOB_ID --json'],
    ['cancel', 'End a job', 'baton jobs cancel JOB_ID'],
    ['retry', 'Create a new job from one that failed, expired or was cancelled', 'baton jobs retry JOB_ID'],
  ] as const) {
    const command = apiCommand(`${action} <id>`, description, { parent: jobs }).action(
      async (id: string, options: SessionOptions) => {
        const { actOnJob } = await import('./commands/jobs.ts')
        exit(await actOnJob(action, id, options, terminal))
      },
    )
    withExamples(command, [example, ''])
  }
}

const addExplain = ({ apiCommand, exit }: Adding, terminal: CommandIo): void => {
  const command = apiCommand('explain <job>', 'Explain why a job went where it went', {
    group: 'jobs',
  }).action(async (id: string, options: SessionOptions) => {
    const { explain } = await import('./commands/explain.ts')
    exit(await explain(id, options, terminal))
  })
  withExamples(command, ['baton explain JOB_ID', 'each call, each wait, and what it waits for now'])
}

const addDeadLetters = ({ program, apiCommand, exit }: Adding, terminal: CommandIo): void => {
  const parent = program
    .command('dead-letters')
    .description('List webhooks that were given up, and send them again')
    .helpGroup(groups.jobs)
  const list = apiCommand('list', 'The newest (default)', { parent, isDefault: true })
    .option('--limit <count>', 'how many, 1 to 100', parseLimit, '20')
    .option(
      '--after <cursor>',
      'only older ones than this: the cursor at the end of an earlier list, or an id',
    )
    .action(async (options: SessionOptions & { limit: string; after?: string }) => {
      const { listDeadLetters } = await import('./commands/dead-letters.ts')
      exit(await listDeadLetters(options, terminal))
    })
  withExamples(list, ['baton dead-letters --limit 100', 'and why each was given up'])
  const redeliver = apiCommand('redeliver <id>', 'Send the webhook of a job or a batch again', {
    parent,
  }).action(async (id: string, options: SessionOptions) => {
    const letters = await import('./commands/dead-letters.ts')
    exit(await letters.redeliver(id, options, terminal))
  })
  withExamples(redeliver, ['baton dead-letters redeliver JOB_ID', 'once its receiver is well again'])
}
