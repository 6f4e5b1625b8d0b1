import type { Command } from 'commander'
import { explain } from './commands/explain.ts'
import { type SimulateOptions, simulateOutage } from './commands/simulate.ts'
import type { AddCommand } from './program.ts'
import type { SessionOptions } from './session.ts'
import { talkingTo } from './talking.ts'
import type { Terminal } from './terminal.ts'

/** What an operator looks at and acts on through a running API. */
export const addOperatorCommands = (
  _program: Command,
  command: AddCommand,
  terminal: Terminal,
  exit: (code: number) => void,
): void => {
  const talking = talkingTo(command)

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
    .action(async (options: SimulateOptions) => exit(await simulateOutage(options, terminal)))
}

const listed = (name: string, others: readonly string[] = []): readonly string[] => [...others, name]
