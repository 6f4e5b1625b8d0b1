import { type ConfigChanges, changesBetween, versionOf } from '../../config/changes.ts'
import { ConfigError } from '../../config/fault.ts'
import { CommandError, type CommandIo, renderJson } from '../command-io.ts'
import { openConfig } from '../open-config.ts'
import { type SessionOptions, withSession } from '../session.ts'

export interface DiffOptions extends SessionOptions {
  readonly config?: string
}

interface Difference {
  /** Of the config that would serve. */
  readonly version: string
  readonly changes: ConfigChanges
}

/**
 * What a reload would change: with `file`, from the config in use here to that one; without, from what the running API serves to
 * the file that it would read. Answers as `diff` does: 0 for nothing, 1 for changes, 2 where it could not be told.
 */
export const diffConfig = async (
  file: string | undefined,
  options: DiffOptions,
  terminal: CommandIo,
): Promise<number> => {
  const show = ({ version, changes }: Difference): number => {
    const lines = linesOf(changes)
    if (options.json) terminal.out(renderJson({ version, ...changes }))
    else terminal.out(lines.length === 0 ? 'a reload would change nothing' : lines.join('\n'))
    return lines.length === 0 ? 0 : 1
  }
  try {
    if (file !== undefined) return show(ofFiles(file, options, terminal))
    return await withSession(terminal, options, async ({ api }) => {
      const { version, object: _, ...changes } = (await api.ask('GET', '/v1/admin/reload')) as Told
      return show({ version, changes })
    })
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof CommandError)) throw error
    terminal.err(error.message)
    return 2
  }
}

type Told = ConfigChanges & { readonly object: 'config'; readonly version: string }

const ofFiles = (file: string, options: DiffOptions, { cwd, env }: CommandIo): Difference => {
  const before = openConfig({ file: options.config, cwd, env }).config
  const after = openConfig({ file, cwd, env }).config
  return { version: versionOf(after), changes: changesBetween(before, after) }
}

const linesOf = ({
  providers,
  routes,
  api_keys,
  limits,
  settings,
  needs_restart,
}: ConfigChanges): string[] => [
  ...named('provider', providers),
  ...limits.map(limit => `~ limit ${limit}`),
  ...named('route', routes),
  ...named('key', api_keys),
  ...settings.map(section => `~ settings ${section}`),
  ...needs_restart.map(setting => `! ${setting}: holds only after a restart`),
]

const named = (noun: string, { added, changed, removed }: ConfigChanges['providers']): string[] => [
  ...added.map(name => `+ ${noun} ${name}`),
  ...changed.map(name => `~ ${noun} ${name}`),
  ...removed.map(name => `- ${noun} ${name}`),
]
