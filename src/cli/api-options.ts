import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Group } from './command-help.ts'

export interface CommandPlace {
  /** `program` unless it is named. */
  readonly parent?: Command
  /** It runs when its parent is given alone. */
  readonly isDefault?: boolean
  readonly group?: Group
}

/** Adds a command with the options that all have. */
export type AddCommand = (usage: string, description: string, place?: CommandPlace) => Command

/** What the commands are added to. */
export interface Adding {
  readonly program: Command
  readonly command: AddCommand
  /** The same for commands that talk to a running API. */
  readonly apiCommand: AddCommand
  readonly exit: (code: number) => void
}

/** Adds commands that talk to a running API. */
export const withApiOptions =
  (command: AddCommand): AddCommand =>
  (usage, description, place) =>
    command(usage, description, place)
      .option('--url <url>', "the API (default: BATON_URL, else the config's server)")
      .option(
        '--api-key <key>',
        'a key of the API; safer in BATON_API_KEY, as others on this machine can read command lines',
      )

/** The options that all commands have. */
export const addCommonOptions = (command: Command): Command =>
  addPlainOptions(
    command
      .option('--config <file>', 'the config file (default: BATON_CONFIG, else ./baton.yaml)')
      .option('--json', 'print JSON', false),
  )

/** Those that may also stand before a command, and are told in the help of all. */
export const addPlainOptions = (command: Command): Command =>
  command
    .addOption(new Option('--quiet', 'no progress and no advice').default(false).hideHelp())
    .addOption(new Option('--no-color', 'no colours').hideHelp())

/** The length of a list, 1 to 100, as the API takes it. */
export const parseLimit = (text: string): string => {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > 100) {
    throw new InvalidArgumentError('It must be 1 to 100.')
  }
  return text
}

export const parseCount = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, 1 or more.')
  return Number(text)
}

export const parseDollars = (text: string): number => {
  const dollars = Number(text)
  if (!(dollars > 0)) throw new InvalidArgumentError('It must be a number of US dollars, more than 0.')
  return dollars
}

/** For an option that may be given several times. */
export const listed = (value: string, others: readonly string[] = []): readonly string[] => [...others, value]

export const watchOption = ['--watch', 'show it again every two seconds, until Ctrl-C'] as const
