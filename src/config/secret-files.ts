import { readFileSync } from 'node:fs'
import type { Finding, Path } from './fault.ts'
import { problemOf } from './file.ts'
import { at, pathsLike, withValue } from './places.ts'

/** Settings that name a mounted file with a secret, and the setting that its text stands for. `*` is any name or place in a list. */
export const secretFileSettings: Readonly<Record<string, string>> = {
  'providers.*.api_key_file': 'api_key',
  'providers.*.api_key_files': 'api_keys',
  'providers.*.client_secret_file': 'client_secret',
  'providers.*.credentials_file': 'credentials',
  'providers.*.access_key_id_file': 'access_key_id',
  'providers.*.secret_access_key_file': 'secret_access_key',
  'providers.*.session_token_file': 'session_token',
  'api_keys.*.key_file': 'key',
  'webhooks.secret_file': 'secret',
  'storage.s3.access_key_id_file': 'access_key_id',
  'storage.s3.secret_access_key_file': 'secret_access_key',
  'redis.url_file': 'url',
  'redis.sentinel.password_file': 'password',
  'redis.sentinel.sentinel_password_file': 'sentinel_password',
  'redis.cluster.password_file': 'password',
}

/** What files of secrets say, for as long as the process runs: one that goes away, or is empty for a moment, keeps what it said. */
export interface SecretFiles {
  /** Its text without the line end; null where there never was one, with what is in the way. */
  read(path: string): { readonly text: string | null; readonly problem: string | null }
  /** Those that were read last, each once. */
  readonly paths: readonly string[]
  /** From here on, paths are noted anew. */
  begin(): void
}

/** `onKept` hears of each file that cannot be read and whose text of before goes on. */
export const createSecretFiles = (
  onKept: (path: string, problem: string) => void = () => undefined,
): SecretFiles => {
  const texts = new Map<string, string>()
  /** What was last found of each, so that a problem is told once. */
  const told = new Map<string, string | null>()
  let paths = new Set<string>()

  const attempt = (path: string): { text: string | null; problem: string | null } => {
    try {
      const text = readFileSync(path, 'utf8').replace(/[\r\n]+$/, '')
      return text === '' ? { text: null, problem: 'the file is empty' } : { text, problem: null }
    } catch (error) {
      return { text: null, problem: problemOf(error) }
    }
  }

  return {
    begin: () => {
      paths = new Set()
    },
    read: path => {
      paths.add(path)
      const { text, problem } = attempt(path)
      if (text !== null) texts.set(path, text)
      const kept = text ?? texts.get(path) ?? null
      if (kept !== null && problem !== null && told.get(path) !== problem) onKept(path, problem)
      told.set(path, problem)
      return { text: kept, problem }
    },
    get paths() {
      return [...paths]
    },
  }
}

export interface WithSecrets {
  /** The document with the texts of files in the places of the settings that they stand for. */
  readonly document: unknown
  readonly faults: readonly Finding[]
  /** Files of providers' keys that cannot be read: code `missing_key`. */
  readonly missingKeys: readonly Finding[]
}

/** Takes a document whose variables are put in. */
export const readSecretFiles = (written: unknown, files: SecretFiles): WithSecrets => {
  let document = written
  const faults: Finding[] = []
  const missingKeys: Finding[] = []
  files.begin()

  const textAt = (path: Path, named: string): string | null => {
    const { text, problem } = files.read(named)
    if (text !== null) return text
    const message = `no secret can be read from ${named}: ${problem}`
    if (path[0] === 'providers') missingKeys.push({ code: 'missing_key', path, message })
    else faults.push({ code: 'unreadable', path, message })
    return null
  }

  for (const [pattern, setting] of Object.entries(secretFileSettings)) {
    for (const path of pathsLike(written, pattern.split('.'))) {
      const named = at(written, path)
      const target = [...path.slice(0, -1), setting]
      // What is of the wrong kind the schema tells of.
      if (!isText(named) && !isTexts(named)) continue
      if (at(written, target) !== undefined) {
        faults.push({
          code: 'relation',
          path,
          message: `${setting} and ${path.at(-1)} are both set; keep one`,
        })
        continue
      }
      const texts = [named].flat().map((one, i) => textAt(isText(named) ? path : [...path, i], one))
      const found = texts.filter(text => text !== null)
      if (found.length > 0) document = withValue(document, target, isText(named) ? found[0] : found)
    }
  }
  return { document, faults, missingKeys }
}

/** A variable that is set nowhere is a fault of its own. */
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && !value.includes('${')
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)

/** Where the secret of a file would stand, by the path of the setting that names the file. */
export const targetOf = (path: Path): Path => {
  const end = path.findLastIndex(part => typeof part === 'string')
  const name = String(path[end])
  const known = Object.entries(secretFileSettings).find(([pattern]) => pattern.endsWith(`.${name}`))
  return known ? [...path.slice(0, end), known[1]] : path
}
