import type { ConfigFile } from '../../config/file.ts'
import { type KeyOrigin, keyOrigins } from '../../config/keys.ts'
import { renderTable } from '../../terminal/table.ts'
import { type Out, renderJson } from '../terminal.ts'

/** Shows whose keys are there and where they come from; never a key. Judging them is for validate-config. */
export const listKeys = (file: ConfigFile, { json }: { json: boolean }, out: Out): number => {
  const keys = keyOrigins(file)
  if (json) out(renderJson(keys.map(publicView)))
  else if (keys.length === 0) out('No route leads to a provider: no keys are in use.')
  else out(renderTable([['PROVIDER', 'TYPE', 'FROM', 'STATE', 'KEY'], ...keys.map(row)]))
  return 0
}

/** Three letters tell keys apart; a short key would be given away by them. */
export const mask = (key: string): string => {
  const prefix = /^[a-z]{2,4}[-_]/.exec(key)?.[0] ?? ''
  return key.length < 12 ? '…' : `${prefix}…${key.slice(-3)}`
}

/** A file is named, a service account known by its address; neither is secret. */
const shown = ({ setting, value }: KeyOrigin): string | null => {
  if (value === null) return null
  if (setting === 'credentials_file') return value
  return setting === 'credentials' ? accountOf(value) : mask(value)
}

const accountOf = (credentials: string): string =>
  /"client_email"\s*:\s*"([^"]+)"/.exec(credentials)?.[1] ?? '…'

const publicView = (key: KeyOrigin) => {
  const { value: _, ...origin } = key
  return { ...origin, masked: shown(key) }
}

const row = (key: KeyOrigin): string[] => [
  key.provider,
  key.type,
  describeOrigin(key),
  key.state,
  shown(key) ?? '',
]

const describeOrigin = (key: KeyOrigin): string =>
  key.setting === undefined ? describeSource(key) : `${key.setting}: ${describeSource(key)}`

const describeSource = ({ variables, source, state }: KeyOrigin): string => {
  if (state === 'none') return 'none configured'
  if (source === 'file') return 'written in the file'
  const names = variables.map(name => `\${${name}}`).join(' ')
  if (source === null) return names
  return source === 'default' ? `${names}, its default in the file` : `${names} from ${source}`
}
