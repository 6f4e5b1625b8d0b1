import { createHash } from 'node:crypto'
import type { Config } from './schema.ts'

/** What a reload says of a config: names of settings, never a value. */
export interface ConfigChanges {
  readonly providers: NamedChanges
  readonly routes: NamedChanges
  /** Keys go by the first letters of their hash. */
  readonly api_keys: NamedChanges
  /** Changed settings of a provider's `limits`: `openai.rpm`. */
  readonly limits: readonly string[]
  /** Other sections that changed. */
  readonly settings: readonly string[]
  /** Changed settings that hold only after a restart. */
  readonly needs_restart: readonly string[]
}

interface NamedChanges {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

/** Sections that were opened with the process: its ports, its Redis, where its files are. */
export const restartSections = ['server', 'redis', 'storage'] as const
/** These differ from process to process, by variables of its own, so they do not tell whether two have the same config. */
const ownSections = new Set(['server', 'redis', 'proxy', 'storage'])

type Table = Readonly<Record<string, unknown>>

const hashOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(value, sorted) ?? '')
    .digest('hex')

/** The order in which a file names settings means nothing; that of a list does. */
const sorted = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** Twelve letters that are the same in all processes that run on the same config. */
export const versionOf = (config: Config): string =>
  hashOf(Object.entries(config).filter(([section]) => !ownSections.has(section))).slice(0, 12)

const compare = (before: Table, after: Table): NamedChanges => ({
  added: Object.keys(after).filter(name => !Object.hasOwn(before, name)),
  changed: Object.keys(after).filter(
    name => Object.hasOwn(before, name) && hashOf(before[name]) !== hashOf(after[name]),
  ),
  removed: Object.keys(before).filter(name => !Object.hasOwn(after, name)),
})

/** Texts that may change while a process goes on where it is: its Redis and its bucket, by other keys. */
const secretSettings = new Set(['password', 'sentinel_password', 'access_key_id', 'secret_access_key'])

/** A section of those without the secrets in it: whether a process would be elsewhere by it. */
const placeOf = (section: unknown): unknown => {
  const place = (key: string, value: unknown): unknown => {
    if (secretSettings.has(key)) return undefined
    const url = key === 'url' && typeof value === 'string' ? URL.parse(value) : null
    return url === null ? value : `${url.protocol}//${url.username}@${url.host}${url.pathname}`
  }
  return JSON.parse(JSON.stringify(section, place))
}

/** Whether only secrets of a section differ, which holds without a restart. */
const isSamePlace = (before: unknown, after: unknown): boolean =>
  hashOf(placeOf(before)) === hashOf(placeOf(after))

const every = ({ added, changed, removed }: NamedChanges): string[] => [...added, ...changed, ...removed]

const keysOf = ({ api_keys }: Config): Table =>
  Object.fromEntries(api_keys.map(({ key, ...terms }) => [hashOf(key).slice(0, 8), terms]))

export const changesBetween = (before: Config, after: Config): ConfigChanges => {
  const told = new Set<string>(['providers', 'models', 'api_keys', ...restartSections])
  const limits = Object.entries(after.providers).flatMap(([name, { limits }]) =>
    every(compare(before.providers[name]?.limits ?? limits, limits)).map(limit => `${name}.${limit}`),
  )
  return {
    providers: compare(before.providers, after.providers),
    routes: compare(before.models, after.models),
    api_keys: compare(keysOf(before), keysOf(after)),
    limits,
    settings: every(compare(before, after)).filter(
      section => !told.has(section) || (isRestarted(section) && isSamePlace(before[section], after[section])),
    ),
    needs_restart: restartSections
      .filter(section => !isSamePlace(before[section], after[section]))
      .flatMap(section =>
        every(compare(before[section], after[section])).map(setting => `${section}.${setting}`),
      ),
  }
}

const isRestarted = (section: string): section is (typeof restartSections)[number] =>
  restartSections.includes(section as never)

/** The new config as a running process can have it: what takes a restart stays as it was, but for secrets. */
export const adopted = (before: Config, after: Config): Config => ({
  ...after,
  ...Object.fromEntries(
    restartSections
      .filter(section => !isSamePlace(before[section], after[section]))
      .map(section => [section, before[section]]),
  ),
})

/** Whether anything changes without a restart. */
export const isChanged = ({ providers, routes, api_keys, settings }: ConfigChanges): boolean =>
  settings.length + [providers, routes, api_keys].flatMap(every).length > 0
