import type { CommandNode, OptionNode } from './command-tree.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

const valuesOf = ({ commands, choices, options }: CommandNode): readonly string[] => [
  ...commands.map(({ name }) => name),
  ...choices,
  ...options.map(({ flag }) => flag),
]

/**
 * Finds by the words before the cursor at which command it stands, and offers what may follow. Options take their
 * values by the word just before.
 */
const bash = (nodes: readonly CommandNode[]): string => {
  const paths = nodes.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')))
  const values = new Map<string, OptionNode>()
  for (const { options } of nodes)
    for (const option of options) if (option.value !== null) values.set(option.flag, option)
  const valueCases = [...values.values()].map(({ flag, value }) => {
    const reply =
      value === 'files'
        ? 'COMPREPLY=($(compgen -f -- "$cur"))'
        : `COMPREPLY=($(compgen -W ${quoted(value!.join(' '))} -- "$cur"))`
    return `    ${flag}) ${reply}; return ;;`
  })
  const nodeCases = nodes.map(node => {
    const words = `compgen -W ${quoted(valuesOf(node).join(' '))} -- "$cur"`
    const files = node.takesFiles ? '; compgen -f -- "$cur"' : ''
    return `    ${quoted(node.path.join(' '))}) COMPREPLY=($(${words}${files})) ;;`
  })
  return `# Completion of baton for bash. Into ~/.bashrc: source <(baton completion bash)
_baton() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" at='' word next
  COMPREPLY=()
  case "$prev" in
${valueCases.join('\n')}
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${at:+$at }$word"
    case "$next" in
    ${paths.join('|')}) at="$next" ;;
    esac
  done
  case "$at" in
${nodeCases.join('\n')}
  esac
}
complete -o filenames -F _baton baton
`
}

const zshText = (text: string): string => text.replaceAll(/[[\]:\\]/g, '\\$&').replaceAll("'", "'\\''")

const zshOption = ({ flag, description, value }: OptionNode): string => {
  const told = `'${flag}[${zshText(description)}]`
  if (value === null) return `${told}'`
  return `${told}:value:${value === 'files' ? '_files' : `(${value.join(' ')})`}'`
}

const functionOf = (path: readonly string[]): string => ['_baton', ...path].join('_').replaceAll('-', '_')

const zsh = (nodes: readonly CommandNode[]): string => {
  const functions = nodes.map(node => {
    const { path, commands, options, choices, takesFiles } = node
    const rest =
      commands.length > 0
        ? ["'1: :->command'", "'*:: :->rest'"]
        : [
            choices.length > 0
              ? `'*:value:(${choices.join(' ')})'`
              : takesFiles
                ? "'*:file:_files'"
                : "'*: :'",
          ]
    const told = commands.map(({ name, description }) => `      '${name}:${zshText(description)}'`)
    const inner = commands.map(({ name }) => `        ${name}) ${functionOf([...path, name])} ;;`)
    const states = `
  case "$state" in
    command)
      local -a commands=(
${told.join('\n')}
      )
      _describe command commands ;;
    rest)
      case "$words[1]" in
${inner.join('\n')}
      esac ;;
  esac`
    return `${functionOf(path)}() {
  local state
  _arguments -C \\
    ${[...options.map(zshOption), ...rest].join(' \\\n    ')}${commands.length > 0 ? states : ''}
}`
  })
  return `#compdef baton
# Completion of baton for zsh. Into ~/.zshrc, after compinit: source <(baton completion zsh)
${functions.join('\n\n')}

if [[ "$funcstack[1]" = _baton ]]; then _baton "$@"; else compdef _baton baton; fi
`
}

const fish = (nodes: readonly CommandNode[]): string => {
  const lines = nodes.flatMap(({ path, commands, options, choices, takesFiles }) => {
    const at = `complete -c baton -n ${quoted(`__baton_at ${quoted(path.join(' '))}`)}`
    return [
      ...commands.map(({ name, description }) => `${at} -f -a ${name} -d ${fishText(description)}`),
      ...options.map(({ flag, description, value }) => {
        const takes =
          value === null
            ? '-f'
            : value === 'files'
              ? '-r -F'
              : `-x${value.length > 0 ? ` -a ${fishText(value.join(' '))}` : ''}`
        return `${at} -l ${flag.slice(2)} ${takes} -d ${fishText(description)}`
      }),
      ...(choices.length > 0 ? [`${at} -f -a ${fishText(choices.join(' '))}`] : []),
      ...(takesFiles ? [`${at} -F`] : []),
    ]
  })
  const paths = nodes.map(({ path }) => path.join(' ')).filter(path => path !== '')
  return `# Completion of baton for fish. As ~/.config/fish/completions/baton.fish, or: baton completion fish | source
set -g __baton_paths ${paths.map(fishText).join(' ')}
function __baton_at
    set -l at ''
    for word in (commandline -opc)[2..]
        set -l next (string trim -- "$at $word")
        contains -- $next $__baton_paths; and set at $next
    end
    test "$at" = "$argv"
end
complete -c baton -f
${lines.join('\n')}
`
}

const fishText = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

const scripts: Readonly<Record<Shell, (nodes: readonly CommandNode[]) => string>> = { bash, zsh, fish }

/** A script that a shell reads once: completing a word starts no process. */
export const completionScript = (shell: Shell, nodes: readonly CommandNode[]): string => scripts[shell](nodes)
