import type { Command } from 'commander'
import { type Adding, listed, parseCount, parseDollars, parseLimit, watchOption } from './api-options.ts'
import { groups, withExamples } from './command-help.ts'
import type { CommandIo } from './command-io.ts'
import type { SubmitOptions } from './commands/submit.ts'
import type { Places } from './follow-batches.ts'
import type { SessionOptions } from './session.ts'
import type { WatchOptions } from './watching.ts'

const exitCodesHelp = `
Exit codes:
  0    all lines answered (or, without --wait, the batch is created)
  1    it could not be done
  2    the command line is wrong
  3    some lines failed
  4    the file is refused
  5    the batch expired or was cancelled
  130  Ctrl-C`

/** `baton submit` and `baton batches …`. */
export const addBatchCommands = (adding: Adding, terminal: CommandIo): void => {
  addSubmit(adding, terminal)
  const batches = adding.program
    .command('batches')
    .description('List batches, and act on them')
    .helpGroup(groups.batches)
  addList(adding, batches, terminal)
  addWait(adding, batches, terminal)
  addActions(adding, batches, terminal)
}

const addSubmit = ({ apiCommand, exit }: Adding, terminal: CommandIo): void => {
  const submit = apiCommand('submit <file>', 'Create a batch from a JSONL file, or several from a long one', {
    group: 'batches',
  })
    .addHelpText(
      'after',
      `
FILE has a request on each line: {"custom_id", "method": "POST", "url", "body"};
- is standard input. All of it is checked before any of it is sent. What is too
long for one batch is cut into several, which are followed as one.`,
    )
    .option('--wait', 'wait until it has ended, then download the results', false)
    .option(
      '--output <file>',
      'the file for the answers, with --wait; - is standard output (default: ID_output.jsonl)',
    )
    .option('--errors <file>', 'the file for the lines that failed (default: ID_error.jsonl)')
    .option('--webhook <url>', 'a URL that is notified of the end')
    .option('--endpoint <path>', "the endpoint of every line (default: the first line's)")
    .option('--window <duration>', 'the time until its deadline: 1m to 7d', '24h')
    .option('--max-cost <dollars>', 'start no line that would take a batch past this', parseDollars)
    .option('--metadata <key=value>', 'metadata of the batch; may be given again', listed)
    .option(
      '--split <lines>',
      'at most so many lines to a batch (default: as many as the API takes)',
      parseCount,
    )
    .option('--resume <id>', 'go on with a submission of several batches that broke off')
  withExamples(
    submit,
    ['baton submit requests.jsonl --wait', 'run it, and fetch the answers'],
    ['baton submit requests.jsonl --metadata team=search', 'only create it; its id is printed'],
    ['gzip -dc huge.jsonl.gz | baton submit - --wait --output -', 'from a pipe into the next'],
    ['baton submit requests.jsonl --wait --max-cost 20', 'begin no line that may take it past $20'],
  )
  submit
    .addHelpText('after', exitCodesHelp)
    .action(async (file: string, options: SubmitOptions, self: Command) => {
      if (!options.wait && (options.output ?? options.errors) !== undefined) {
        self.error('error: --output and --errors need --wait')
      }
      refuseTwoOutputs(self, options)
      const command = await import('./commands/submit.ts')
      exit(await command.submit(file, options, terminal))
    })
}

const refuseTwoOutputs = (self: Command, { errors }: Places): void => {
  if (errors === '-') self.error('error: --errors must be a file; --output may be -')
}

const addList = ({ apiCommand, exit }: Adding, parent: Command, terminal: CommandIo): void => {
  const list = apiCommand('list', 'The newest batches (default)', { parent, isDefault: true })
    .option('--limit <count>', 'how many, 1 to 100', parseLimit, '20')
    .option(...watchOption)
    .action(async (options: SessionOptions & WatchOptions & { limit: string }) => {
      const { listBatches } = await import('./commands/batches.ts')
      exit(await listBatches(options, terminal))
    })
  withExamples(
    list,
    ['baton batches --watch', 'look on'],
    ['baton batches list --limit 5 --json', 'for a program'],
  )
}

const addWait = ({ apiCommand, exit }: Adding, parent: Command, terminal: CommandIo): void => {
  const description = 'Show the progress of batches until all have ended, then download their results as one'
  const wait = apiCommand('wait <ids...>', description, { parent })
    .option('--output <file>', 'the file for the answers; - is standard output (default: ID_output.jsonl)')
    .option('--errors <file>', 'the file for the lines that failed (default: ID_error.jsonl)')
  withExamples(
    wait,
    ['baton batches wait BATCH_ID', 'go on following after Ctrl-C'],
    ['baton batches wait SUBMISSION_ID --output all.jsonl', 'all batches of one file, in its order'],
  )
  wait
    .addHelpText('after', exitCodesHelp)
    .action(async (ids: string[], options: SessionOptions & Places, self: Command) => {
      refuseTwoOutputs(self, options)
      const { waitForBatches } = await import('./commands/batches.ts')
      exit(await waitForBatches(ids, options, terminal))
    })
}

const addActions = ({ apiCommand, exit }: Adding, parent: Command, terminal: CommandIo): void => {
  for (const [name, action, description] of [
    ['show', 'read', 'Show batches'],
    ['cancel', 'cancel', 'End batches; answers that they have by then are kept'],
    ['retry', 'retry', 'Create a new batch from the lines that failed'],
  ] as const) {
    const command = apiCommand(`${name} <ids...>`, description, { parent }).action(
      async (ids: string[], options: SessionOptions) => {
        const { actOnBatches } = await import('./commands/batches.ts')
        exit(await actOnBatches(action, ids, options, terminal))
      },
    )
    withExamples(command, [`baton batches ${name} BATCH_ID`, description.toLowerCase()])
  }
}
