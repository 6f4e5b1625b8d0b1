import type { Command } from 'commander'

/** Under which heading the list of commands has each. */
export const groups = {
  serve: 'Serve:',
  config: 'Set up and check:',
  batches: 'Batches:',
  jobs: 'Jobs and webhooks:',
  operate: 'Operate:',
  shell: 'Shell:',
} as const

export type Group = keyof typeof groups

/** A line that can be typed as it is, and what it does. */
export type Example = readonly [commandLine: string, does: string]

/** Adds examples at the end of a command's help, and answers the command. */
export const withExamples = (command: Command, ...examples: readonly Example[]): Command => {
  const width = Math.max(...examples.map(([line]) => line.length))
  const rows = examples.map(([line, does]) => `  $ ${line.padEnd(width)}  ${does}`.trimEnd())
  return command.addHelpText('after', ['', 'Examples:', ...rows].join('\n'))
}

/** What all commands have in common, at the end of `baton --help`. */
export const commonHelp = `
Options of all commands that end:
  --quiet     no progress and no advice, on standard error
  --no-color  no colours, as NO_COLOR in the environment; there are none but on
              a terminal, or where FORCE_COLOR is set

Environment:
  BATON_CONFIG   the config file (else ./baton.yaml)
  BATON_URL      the API (else the config's server)
  BATON_API_KEY  a key of the API (else one of the config's)

Exit codes:
  0    done
  1    it could not be done, or what was looked at is faulty
  2    the command line is wrong
  3-5  of batches: see baton submit --help
  130  Ctrl-C; 0 with --watch, which has no other end

\`baton COMMAND --help\` has the options of a command, with examples.`
