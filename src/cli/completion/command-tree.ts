import type { Command, Option } from 'commander'

/** What a shell completes after a command: everything that can stand there. */
export interface CommandNode {
  /** The words that lead to it: `batches list`. Empty for `baton` itself. */
  readonly path: readonly string[]
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly OptionNode[]
  /** Words of which one stands there as an argument. */
  readonly choices: readonly string[]
  readonly takesFiles: boolean
}

export interface OptionNode {
  readonly flag: string
  readonly description: string
  /** Null for one without a value; `files` for a path; else what it may be, or nothing that is known. */
  readonly value: 'files' | readonly string[] | null
}

const common: readonly OptionNode[] = [
  { flag: '--help', description: 'show how it is used', value: null },
  { flag: '--quiet', description: 'no progress and no advice', value: null },
  { flag: '--no-color', description: 'no colours', value: null },
]

/** Options and arguments by these names are paths. */
const isPath = (name: string): boolean => /^(?:file|config|output|errors)$/.test(name)

const optionOf = (option: Option): OptionNode => {
  const takesValue = option.required || option.optional
  const value = isPath(option.name()) ? 'files' : (option.argChoices ?? [])
  return { flag: option.long!, description: option.description, value: takesValue ? value : null }
}

/** The whole tree, from the very commands that are run: what is added there is completed at once. */
export const commandTree = (command: Command, path: readonly string[] = []): readonly CommandNode[] => {
  // Given alone, a command with a list shows that.
  const list = command.commands.find(child => child.name() === 'list')
  const shown = [...command.options, ...(list?.options ?? [])].filter(option => !option.hidden)
  const node: CommandNode = {
    path,
    commands: command.commands.map(child => ({ name: child.name(), description: child.description() })),
    options: [...shown.map(optionOf), ...common],
    choices: command.registeredArguments.flatMap(argument => argument.argChoices ?? []),
    takesFiles: command.registeredArguments.some(argument => isPath(argument.name())),
  }
  return [node, ...command.commands.flatMap(child => commandTree(child, [...path, child.name()]))]
}
