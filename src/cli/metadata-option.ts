import { CommandLineError } from './command-io.ts'

/** `key=value` pairs as an object; the value may have `=` in it. Throws CommandLineError. */
export const metadataOf = (pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map(pair => {
      const at = pair.indexOf('=')
      if (at < 1) throw new CommandLineError('--metadata takes KEY=VALUE.')
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
