import { type KeyOrigin, keyOrigins } from '../../config/keys.ts'
import { renderTable } from '../../terminal/format.ts'
import { checkKeys, isBad, type KeyCheck } from '../check-keys.ts'
import { type Out, renderJson } from '../command-io.ts'
import type { OpenConfig } from '../open-config.ts'

export interface KeysOptions {
  readonly json: boolean
  /** Asks the providers. */
  readonly check: boolean
}

/**
 * Shows whose keys are there and where they come from; never a key. Answers 1 when one is missing, or a
 * provider was asked and will not have one. Judging the config is for validate-config.
 */
export const listKeys = async (
  opened: OpenConfig,
  { json, check }: KeysOptions,
  out: Out,
): Promise<number> => {
  const keys = keyOrigins(opened.file)
  const checks = check ? await checkKeys(opened, keys) : []
  if (json)
    out(
      renderJson(
        keys.map((key, i) => ({ ...publicView(key), ...(check && { check: checkView(checks[i] ?? null) }) })),
      ),
    )
  else if (keys.length === 0) out('No route leads to a provider: no keys are in use.')
  else {
    const columns = ['PROVIDER', 'TYPE', 'FROM', 'STATE', 'KEY', ...(check ? ['CHECK'] : [])]
    const rows = keys.map((key, i) => [...row(key), ...(check ? [describeCheck(checks[i] ?? null)] : [])])
    out(renderTable([columns, ...rows]))
  }
  const isMissing = keys.some(({ state }) => state === 'missing')
  return isMissing || checks.some(found => found !== null && isBad(found)) ? 1 : 0
}

const checkView = (check: KeyCheck | null) => {
  if (check === null) return null
  const { latencyMs, ...told } = check
  return { ...told, latency_ms: latencyMs }
}

const words: Readonly<Record<KeyCheck['standing'], string>> = {
  ok: 'ok',
  throttled: 'ok, throttled',
  refused: 'refused',
  out_of_quota: 'out of quota',
  unreachable: 'unreachable',
  unclear: 'unclear answer',
  missing: 'not asked: no key',
  unusable: 'not asked: credentials cannot be read',
  simulated: 'not asked: simulated',
}

const describeCheck = (check: KeyCheck | null): string => {
  if (check === null) return ''
  const { standing, status, reason, latencyMs, found, fault } = check
  if (fault !== null) return `no credentials: ${fault}`
  const why = standing === 'ok' ? null : (status ?? reason)
  const took = latencyMs === null ? '' : `, ${latencyMs} ms`
  const by = found === null ? '' : `, by ${found}`
  return `${words[standing]}${why === null ? '' : ` (${why})`}${took}${by}`
}

/** Three letters distinguish keys, but would give a short key away. */
export const mask = (key: string): string => {
  const prefix = /^[a-z]{2,4}[-_]/.exec(key)?.[0] ?? ''
  return key.length < 12 ? '…' : `${prefix}…${key.slice(-3)}`
}

/** A file is named, a service account known by its address; neither is secret. */
const shown = ({ setting, value }: KeyOrigin): string | null => {
  if (value === null) return null
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

const identities: Readonly<Record<string, string>> = {
  azure: 'Entra ID',
  bedrock: 'where AWS keeps keys',
  vertex: 'application default credentials',
}

const describeSource = ({ type, file, variables, source, state }: KeyOrigin): string => {
  if (file !== undefined) return `the file ${file}`
  if (state === 'identity') return identities[type] ?? 'the identity of this machine'
  if (state === 'none') return 'none configured'
  if (source === 'file') return 'written in the file'
  const names = variables.map(name => `\${${name}}`).join(' ')
  if (source === null) return names
  return source === 'default' ? `${names}, its default in the file` : `${names} from ${source}`
}
