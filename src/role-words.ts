import { parseArgs } from 'node:util'
import { didYouMean } from './config/did-you-mean.ts'
import { StartError } from './start-error.ts'

export const usage = `Usage: baton serve [role] [--config FILE] [--install-redis]

Roles:
  (none)              the API, a worker for every provider, webhooks and batches, in one process
  api                 the API alone
  worker <provider>   one provider's worker
  worker webhooks     webhook deliveries
  worker batches      feeds batches and collects their results

--install-redis lets a start that finds neither REDIS_URL nor a redis-server install one with the package manager.`

/** A command line that names no roles: what is wrong with it, and how it is used. The exit code is 2. */
export class UsageError extends StartError {
  constructor(fault: string) {
    super(`${fault}\n\n${usage}`)
  }
}

const options = {
  config: { type: 'string' },
  'install-redis': { type: 'boolean' },
  help: { type: 'boolean' },
} as const

/** A command line in words, which may name a worker that the config does not have: see `rolesOf`. */
export interface RoleWords {
  /** The role and what it works on. */
  readonly names: readonly string[]
  readonly config: string | undefined
  readonly mayInstallRedis: boolean
  readonly asksForHelp: boolean
}

/** @throws UsageError for what no config would make right. */
export const readRoleWords = (args: readonly string[]): RoleWords => {
  // Lenient, as Node says what is wrong in words for programmers.
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    ...{ allowPositionals: true, strict: false, tokens: true, options },
  })
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const { rawName, name, value, inlineValue } = token
    if (!Object.hasOwn(options, name))
      throw new UsageError(`Unknown option '${rawName}'${hint(rawName, Object.keys(options).map(long))}`)
    const takesValue = options[name as keyof typeof options].type === 'string'
    if (!takesValue && value !== undefined) throw new UsageError(`${rawName} takes no value.`)
    if (takesValue && (!value || (!inlineValue && value.startsWith('-'))))
      throw new UsageError(`${rawName} needs a value.`)
  }
  refuseWrongNames(positionals)
  return {
    names: positionals,
    config: values.config as string | undefined,
    mayInstallRedis: values['install-redis'] === true,
    asksForHelp: values.help === true,
  }
}

const long = (name: string): string => `--${name}`

/** What was probably meant, after the word that it is about. */
export const hint = (word: string, known: readonly string[]): string => {
  const meant = didYouMean(word, known)
  return meant === undefined ? '.' : `. Did you mean '${meant}'?`
}

const refuseWrongNames = ([role, name, ...rest]: readonly string[]): void => {
  if (role !== undefined && role !== 'api' && role !== 'worker')
    throw new UsageError(`Unknown role '${role}'${hint(role, ['api', 'worker'])}`)
  const unexpected = role === 'api' ? name : rest[0]
  if (unexpected !== undefined) throw new UsageError(`Unexpected argument '${unexpected}'.`)
}
