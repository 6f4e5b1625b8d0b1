import { Argument } from 'commander'
import { type Adding, addPlainOptions } from '../api-options.ts'
import { groups, withExamples } from '../command-help.ts'
import type { CommandIo } from '../command-io.ts'
import { type Shell, shells } from './shell-scripts.ts'

/** `baton completion bash|zsh|fish` */
export const addCompletion = ({ program, exit }: Adding, { out }: CommandIo): void => {
  const command = addPlainOptions(program.command('completion'))
    .helpGroup(groups.shell)
    .description('Print what lets a shell complete commands and options')
    .addArgument(new Argument('<shell>', 'which').choices(shells))
    .action(async (shell: Shell) => {
      const [{ commandTree }, { completionScript }] = await Promise.all([
        import('./command-tree.ts'),
        import('./shell-scripts.ts'),
      ])
      out(completionScript(shell, commandTree(program)).trimEnd())
      exit(0)
    })
  withExamples(
    command,
    ['source <(baton completion bash)', 'in ~/.bashrc'],
    ['source <(baton completion zsh)', 'in ~/.zshrc, after compinit'],
    ['baton completion fish > ~/.config/fish/completions/baton.fish', 'once'],
  )
}
