import { type Command, InvalidArgumentError } from 'commander'
import { talkingTo } from './api-options.ts'
import type { Terminal } from './command-io.ts'
import { actOnBatch, listBatches, waitForBatch } from './commands/batches.ts'
import { type SubmitOptions, submit } from './commands/submit.ts'
import type { Places } from './follow-batch.ts'
import { asLimit } from './parse-limit.ts'
import type { AddCommand } from './program.ts'
import type { SessionOptions } from './session.ts'

const exitCodesHelp = `
Exit codes: 0 all lines answered (or, without --wait, the batch is created), 1 it could not be done, 2 the command line is
wrong, 3 some lines failed, 4 the file is refused, 5 the batch expired or was cancelled, 130 Ctrl-C.`

/** `baton submit` and `baton batches …`: those that talk to a running API. */
export const addBatchCommands = (
  program: Command,
  command: AddCommand,
  terminal: Terminal,
  exit: (code: number) => void,
): void => {
  const talking = talkingTo(command)

  talking('submit <file>', 'Make a batch of a JSONL file')
    .option('--wait', 'wait for its end, then fetch the results', false)
    .option('--output <file>', 'where the answers go, with --wait; BATCH_output.jsonl if left out')
    .option('--errors <file>', 'where the lines that failed go; BATCH_error.jsonl if left out')
    .option('--webhook <url>', 'is told of the end, too')
    .option('--endpoint <path>', "the lines' url", '/v1/chat/completions')
    .option('--window <duration>', 'the deadline: 1m to 7d', '24h')
    .option('--max-cost <dollars>', 'begin no line that would bring its cost past this', asDollars)
    .addHelpText('after', exitCodesHelp)
    .action(async (file: string, options: SubmitOptions, self: Command) => {
      if (!options.wait && (options.output ?? options.errors) !== undefined) {
        self.error('error: --output and --errors need --wait')
      }
      exit(await submit(file, options, terminal))
    })

  const batches = program.command('batches').description('Look at batches, and act on them')
  talking('list', 'The newest batches; this when nothing is said', batches, true)
    .option('--limit <count>', 'how many, up to 100', asLimit, '20')
    .action(async (options: SessionOptions & { limit: string }) => exit(await listBatches(options, terminal)))
  talking('wait <id>', "Show a batch's progress until it has ended, then fetch its results", batches)
    .option('--output <file>', 'where the answers go; BATCH_output.jsonl if left out')
    .option('--errors <file>', 'where the lines that failed go; BATCH_error.jsonl if left out')
    .addHelpText('after', exitCodesHelp)
    .action(async (id: string, options: SessionOptions & Places) =>
      exit(await waitForBatch(id, options, terminal)),
    )
  const acting = (usage: string, action: 'read' | 'cancel' | 'retry', description: string): void => {
    talking(usage, description, batches).action(async (id: string, options: SessionOptions) =>
      exit(await actOnBatch(action, id, options, terminal)),
    )
  }
  acting('show <id>', 'read', 'One batch, as it is now')
  acting('cancel <id>', 'cancel', 'End a batch: what was answered by then is kept')
  acting('retry <id>', 'retry', 'Make a new batch of the lines that failed')
}

const asDollars = (text: string): number => {
  const dollars = Number(text)
  if (!(dollars > 0)) throw new InvalidArgumentError('It must be a number of US dollars, more than 0.')
  return dollars
}
