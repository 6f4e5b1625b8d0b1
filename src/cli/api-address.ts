import { ConfigError } from '../config/fault.ts'
import { readConfigFile } from '../config/file.ts'
import { inspectConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import type { CommandIo } from './command-io.ts'
import { CommandError } from './command-io.ts'

export interface ApiOptions {
  readonly url?: string
  readonly apiKey?: string
  readonly config?: string
}

/** Where the API is, and what it wants to be shown. */
export interface ApiAddress {
  /** Without a slash at the end. */
  readonly url: string
  readonly key: string | null
}

/**
 * The options first, then BATON_URL and BATON_API_KEY (also from the `.env` beside the config), then the config's own
 * server and the first of its keys, an operator's if there is one. That key goes to no other server. Throws ConfigError when the config is needed and
 * cannot be read, CommandError for what is no URL.
 */
export const findApi = ({ cwd, env }: Pick<CommandIo, 'cwd' | 'env'>, options: ApiOptions): ApiAddress => {
  const [url, key] = [options.url ?? env.BATON_URL, options.apiKey ?? env.BATON_API_KEY]
  if (url && key) return { url: readUrl(url), key }
  const file = readConfigFile({ file: options.config, cwd, env })
  // Leniently: what a server lacks, a secret perhaps, its clients need not have.
  const { config, faults } = inspectConfig(file)
  if (config === null) throw new ConfigError(file.path, faults)
  const own = ownUrl(config)
  const found = readUrl(url || file.lookup('BATON_URL')?.value || own)
  const { api_keys: keys } = config
  // A user who can read the config may do everything.
  const ownKey = found === own ? (keys.find(({ role }) => role === 'operator') ?? keys[0])?.key : undefined
  return { url: found, key: key || (file.lookup('BATON_API_KEY')?.value ?? ownKey ?? null) }
}

/** From this machine, a server that listens everywhere is reached on loopback. */
const ownUrl = ({ server: { host, port } }: Config): string => {
  const reached = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`
}

/** Takes what an OpenAI client takes as its base URL, too: with `/v1` at the end. */
const readUrl = (text: string): string => {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new CommandError(`the API's address must begin with http:// or https://, unlike '${text}'`)
  }
  if (url.username || url.password) {
    throw new CommandError("the API's address must be without user name and password: use --api-key")
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/v1$/, '')
}
