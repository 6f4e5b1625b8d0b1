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

const publicView = ({ value, ...origin }: KeyOrigin) => ({
  ...origin,
  masked: value === null ? null : mask(value),
})

const row = (key: KeyOrigin): string[] => [
  key.provider,
  key.type,
  describeOrigin(key),
  key.state,
  key.value === null ? '' : mask(key.value),
]

const describeOrigin = ({ variables, source, state }: KeyOrigin): string => {
  if (state === 'none') return 'none configured'
  if (source === 'file') return 'written in the file'
  const names = variables.map(name => `\${${name}}`).join(' ')
  if (source === null) return names
  return source === 'default' ? `${names}, its default in the file` : `${names} from ${source}`
}
