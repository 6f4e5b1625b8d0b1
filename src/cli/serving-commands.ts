import type { Command } from 'commander'
import { groups, withExamples } from './command-help.ts'

/**
 * What the commands that serve are told by. They are run before the other commands are loaded, see `baton.ts`: here
 * they stand in the list and have their help.
 */
export const addServingCommands = (program: Command): void => {
  const serving = (usage: string, description: string): Command =>
    program
      .command(usage)
      .helpGroup(groups.serve)
      .description(description)
      .option('--config <file>', 'the config file (default: BATON_CONFIG, else ./baton.yaml)')
  const installs = '--install-redis'
  const why = 'where there is neither REDIS_URL nor a redis-server, install one with the package manager'
  const serve = serving(
    'serve [role] [name]',
    'Run the API, all workers, webhooks and batches, or the one role named',
  )
    .option(installs, why)
    .addHelpText(
      'after',
      `
Roles:
  (none)              all of them in one process
  api                 the API alone
  worker <provider>   one provider's worker
  worker webhooks     webhook deliveries
  worker batches      feeds batches and collects their results`,
    )
  withExamples(
    serve,
    ['baton serve', 'everything, with ./baton.yaml'],
    ['baton serve worker openai --config /etc/baton.yaml', 'one worker'],
  )
  const worker = serving(
    'worker <name>',
    'Run one worker: of a provider, of `webhooks`, or of `batches`',
  ).option(installs, why)
  withExamples(worker, ['baton worker batches', 'as `baton serve worker batches`'])
  const healthcheck = serving(
    'healthcheck [role] [name]',
    'End with 0 if the process of this role can work, else with 1',
  )
  withExamples(healthcheck, ['baton healthcheck', 'in a container: the role of its process 1'])
}
