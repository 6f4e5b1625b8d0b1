import type { Config } from './config/schema.ts'
import { webhookQueue } from './queue/doorbells.ts'
import { hint, UsageError } from './role-words.ts'

/** What a process does; all of it when no role is named. */
export interface Roles {
  readonly api: boolean
  readonly providers: readonly string[]
  readonly webhooks: boolean
  readonly batches: boolean
}

/** What comes after `worker` to start that of batches. That of webhooks is named like its queue. */
export const batchesRole = 'batches'

export const noRole: Roles = { api: false, providers: [], webhooks: false, batches: false }

/** What the words of a command line name, of the providers of a config; null where they name nothing. */
export const namedRoles = (
  [role, name]: readonly (string | undefined)[],
  { providers, server }: Pick<Config, 'providers' | 'server'>,
): Roles | null => {
  const names = Object.keys(providers)
  if (role === undefined) return { api: true, providers: names, webhooks: true, batches: true }
  if (role === 'api') return { ...noRole, api: true, providers: server.express ? names : [] }
  if (name === webhookQueue) return { ...noRole, webhooks: true }
  if (name === batchesRole) return { ...noRole, batches: true }
  return name !== undefined && names.includes(name) ? { ...noRole, providers: [name] } : null
}

/** @throws UsageError where a worker is of nothing that the config has. */
export const rolesOf = (names: readonly string[], config: Config): Roles => {
  const roles = namedRoles(names, config)
  if (roles !== null) return roles
  const known = [...Object.keys(config.providers), webhookQueue, batchesRole]
  const fault = names[1] === undefined ? '' : `There is no worker '${names[1]}'${hint(names[1], known)} `
  throw new UsageError(`${fault}Name what to work on: ${known.join(', ')}.`)
}
