import type { Command } from 'commander'
import { didYouMean } from '../config/did-you-mean.ts'
import { type Adding, addPlainOptions } from './api-options.ts'
import { groups, withExamples } from './command-help.ts'

const namesOf = (group: Command): readonly string[] => group.commands.map(command => command.name())

const unknownCommand = (group: Command, word: string): never => {
  const meant = didYouMean(word, namesOf(group))
  const known = group.parent === null ? '' : `. There are ${namesOf(group).join(', ')}`
  const hint = meant === undefined ? known : `. Did you mean '${meant}'?`
  return group.error(`error: unknown command '${word}'${hint}`, { code: 'commander.unknownCommand' })
}

/** The command that words name; ends with an error where there is none. */
const commandAt = (group: Command, [word, ...rest]: readonly string[]): Command => {
  if (word === undefined) return group
  const found = group.commands.find(command => command.name() === word)
  return commandAt(found ?? unknownCommand(group, word), rest)
}

/**
 * Refuses words after a group that are none of its commands: they would go to the one that is run by default, which takes
 * none. `help` there is a question.
 */
export const refuseStrayWords = (group: Command, byDefault: Command): void => {
  group.helpCommand(false).hook('preSubcommand', () => {
    const [word, ...rest] = group.args
    if (word === 'help') commandAt(group, rest).help()
    if (word !== undefined && !word.startsWith('-') && !namesOf(group).includes(word))
      unknownCommand(group, word)
  })
  // Behind an option, only the command that has the option can tell a word from its value.
  byDefault.allowExcessArguments().hook('preAction', () => {
    const [stray] = byDefault.args
    if (stray === undefined) return
    if (group.args[0] !== byDefault.name()) unknownCommand(group, stray)
    byDefault.error(
      `error: too many arguments for '${byDefault.name()}'. Expected 0 arguments but got ${byDefault.args.length}: ${byDefault.args.join(', ')}.`,
      {
        code: 'commander.excessArguments',
      },
    )
  })
}

/** `baton help jobs list`, as `baton jobs list --help`. */
export const addHelp = ({ program }: Pick<Adding, 'program'>): void => {
  const help = addPlainOptions(program.helpCommand(false).command('help'))
    .helpGroup(groups.shell)
    .description('Show how a command is used')
    .argument('[command...]', 'its name')
    .action((path: readonly string[]) => commandAt(program, path).help())
  withExamples(help, ['baton help jobs list', 'as baton jobs list --help'])
}
