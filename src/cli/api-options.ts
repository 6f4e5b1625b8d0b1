import { type Command, InvalidArgumentError } from 'commander'

/** Adds a command with the options that all have. `isDefault`: it runs when its parent is given alone. */
export type AddCommand = (
  usage: string,
  description: string,
  parent?: Command,
  isDefault?: boolean,
) => Command

/** Adds commands that talk to a running API. */
export const withApiOptions =
  (command: AddCommand): AddCommand =>
  (usage, description, parent, isDefault) =>
    command(usage, description, parent, isDefault)
      .option('--url <url>', "the API (default: BATON_URL, else the config's server)")
      .option(
        '--api-key <key>',
        'a key of the API; safer in BATON_API_KEY, as others on this machine can read command lines',
      )

/** The length of a list, 1 to 100, as the API takes it. */
export const parseLimit = (text: string): string => {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > 100) {
    throw new InvalidArgumentError('It must be 1 to 100.')
  }
  return text
}

/** For an option that may be given several times. */
export const listed = (value: string, others: readonly string[] = []): readonly string[] => [...others, value]
