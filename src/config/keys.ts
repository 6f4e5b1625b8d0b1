import { type DraftProvider, readDraft, usedProviders } from './draft.ts'
import type { ConfigFile } from './file.ts'
import { hasIdentity } from './identity.ts'
import { createSecretFiles } from './secret-files.ts'
import { type Interpolation, interpolate, type Reference } from './variables.ts'
import { vendorCredentials } from './vendor-settings.ts'

/** A key of a provider in use, and where it comes from. Holds the key itself: never log one. */
export interface KeyOrigin {
  readonly provider: string
  readonly type: string
  /** Which setting it is; absent for `api_key` and `api_keys`. */
  readonly setting?: KeySetting
  /** The mounted file that it is read from; absent where it is written or named by variables. */
  readonly file?: string
  /** The variables it is made of; empty when it is written in the file or not written at all. */
  readonly variables: readonly string[]
  readonly source: Exclude<Reference['source'], null> | 'file' | null
  /** Null when it is missing, or when the provider is given none. */
  readonly value: string | null
  /** `identity`: its cloud is asked who this machine is. */
  readonly state: 'present' | 'missing' | 'none' | 'identity'
}

type KeySetting = (typeof keySettings)[number]

const keySettings = vendorCredentials

/** The keys of every provider that some route leads to, in the file's order. */
export const keyOrigins = ({ document, lookup }: ConfigFile): KeyOrigin[] => {
  const { providers, models } = readDraft(document)
  const used = usedProviders(models)
  const files = createSecretFiles()
  return Object.entries(providers).flatMap(([provider, settings]): KeyOrigin[] => {
    if (!used.has(provider)) return []
    const { type = '' } = settings
    const origins: KeyOrigin[] = writtenKeys(settings).map(([setting, key]) => ({
      provider,
      type,
      ...(setting && { setting }),
      ...originOf(interpolate(key, lookup)),
    }))
    for (const [setting, named] of keyFiles(settings)) {
      const { text: file, references } = interpolate(named, lookup)
      const { text } = file ? files.read(file) : { text: null }
      origins.push({
        ...{ provider, type, ...(setting && { setting }), file: file ?? named },
        variables: references.map(({ name }) => name),
        source: null,
        value: text,
        state: text === null ? 'missing' : 'present',
      })
    }
    return origins.length === 0
      ? [
          {
            provider,
            type,
            variables: [],
            source: null,
            value: null,
            state: hasIdentity(type) ? 'identity' : 'none',
          },
        ]
      : origins
  })
}

/** Each key as it stands in the file, with its setting unless that is `api_key` or `api_keys`. */
const writtenKeys = (settings: DraftProvider): (readonly [KeySetting | null, string])[] => [
  ...[settings.api_key, ...(settings.api_keys ?? [])]
    .filter(key => typeof key === 'string')
    .map(key => [null, key] as const),
  ...keySettings.flatMap(setting => {
    const key = settings[setting]
    return key === undefined ? [] : [[setting, key] as const]
  }),
]

/** The files of keys, each with the setting that it stands for, unless that is `api_key` or `api_keys`. */
const keyFiles = (settings: DraftProvider): (readonly [KeySetting | null, string])[] => [
  ...[settings.api_key_file, ...(settings.api_key_files ?? [])]
    .filter(file => typeof file === 'string')
    .map(file => [null, file] as const),
  ...vendorCredentials.flatMap(setting => {
    const file = settings[`${setting}_file`]
    return file === undefined ? [] : [[setting, file] as const]
  }),
]

const originOf = ({ text, references }: Interpolation): Omit<KeyOrigin, 'provider' | 'type' | 'setting'> => ({
  variables: references.map(({ name }) => name),
  source: references.length === 0 ? 'file' : (references.find(({ source }) => source)?.source ?? null),
  value: text || null,
  state: text ? 'present' : 'missing',
})
