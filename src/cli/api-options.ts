import type { AddCommand } from './program.ts'

/** Adds commands that talk to a running API. */
export const talkingTo =
  (command: AddCommand): AddCommand =>
  (usage, description, parent, isDefault) =>
    command(usage, description, parent, isDefault)
      .option('--url <url>', "the API; else BATON_URL, else the config's server")
      .option('--api-key <key>', 'better in BATON_API_KEY: others on this machine can read command lines')
