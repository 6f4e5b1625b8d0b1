import { type Command, InvalidArgumentError } from 'commander'
import { type AddCommand, parseLimit, withApiOptions } from './api-options.ts'
import type { CommandIo } from './command-io.ts'
import { actOnBatch, listBatches, waitForBatch } from './commands/batches.ts'
import { type SubmitOptions, submit } from './commands/submit.ts'
import type { Places } from './follow-batch.ts'
import type { SessionOptions } from './session.ts'

const exitCodesHelp = `
Exit codes: 0 all lines answered (or, without --wait, the batch is created), 1 it could not be done, 2 the command line is
wrong, 3 some lines failed, 4 the file is refused, 5 the batch expired or was cancelled, 130 Ctrl-C.`

/** `baton submit` and `baton batches …`. */
export const addBatchCommands = (
  program: Command,
  command: AddCommand,
  terminal: CommandIo,
  exit: (code: number) => void,
): void => {
  const apiCommand = withApiOptions(command)

  apiCommand('submit <file>', 'Create a batch from a JSONL file')
    .option('--wait', 'wait until it has ended, then download the results', false)
    .option('--output <file>', 'the file for the answers, with --wait (default: BATCH_output.jsonl)')
    .option('--errors <file>', 'the file for the lines that failed (default: BATCH_error.jsonl)')
    .option('--webhook <url>', 'a URL that is notified of the end')
    .option('--endpoint <path>', 'the endpoint of every line', '/v1/chat/completions')
    .option('--window <duration>', 'the time until its deadline: 1m to 7d', '24h')
    .option('--max-cost <dollars>', 'start no line that would take its cost past this', parseDollars)
    .addHelpText('after', exitCodesHelp)
    .action(async (file: string, options: SubmitOptions, self: Command) => {
      if (!options.wait && (options.output ?? options.errors) !== undefined) {
        self.error('error: --output and --errors need --wait')
      }
      exit(await submit(file, options, terminal))
    })

  const batches = program.command('batches').description('List batches, and act on them')
  apiCommand('list', 'The newest batches (default)', batches, true)
    .option('--limit <count>', 'how many, 1 to 100', parseLimit, '20')
    .action(async (options: SessionOptions & { limit: string }) => exit(await listBatches(options, terminal)))
  apiCommand('wait <id>', "Show a batch's progress until it has ended, then download its results", batches)
    .option('--output <file>', 'the file for the answers (default: BATCH_output.jsonl)')
    .option('--errors <file>', 'the file for the lines that failed (default: BATCH_error.jsonl)')
    .addHelpText('after', exitCodesHelp)
    .action(async (id: string, options: SessionOptions & Places) =>
      exit(await waitForBatch(id, options, terminal)),
    )
  const acting = (usage: string, action: 'read' | 'cancel' | 'retry', description: string): void => {
    apiCommand(usage, description, batches).action(async (id: string, options: SessionOptions) =>
      exit(await actOnBatch(action, id, options, terminal)),
    )
  }
  acting('show <id>', 'read', 'Show one batch')
  acting('cancel <id>', 'cancel', 'End a batch; answers that it has by then are kept')
  acting('retry <id>', 'retry', 'Create a new batch from the lines that failed')
}

const parseDollars = (text: string): number => {
  const dollars = Number(text)
  if (!(dollars > 0)) throw new InvalidArgumentError('It must be a number of US dollars, more than 0.')
  return dollars
}
