import { readDraft, usedProviders } from './draft.ts'
import type { ConfigFile } from './file.ts'
import { type Interpolation, interpolate, type Reference } from './variables.ts'

/** A key of a provider in use, and where it comes from. Holds the key itself: never log one. */
export interface KeyOrigin {
  readonly provider: string
  readonly type: string
  /** The variables it is made of; empty when it is written in the file or not written at all. */
  readonly variables: readonly string[]
  readonly source: Exclude<Reference['source'], null> | 'file' | null
  /** Null when it is missing, or when the provider is given none. */
  readonly value: string | null
  readonly state: 'present' | 'missing' | 'none'
}

/** The keys of every provider that some route leads to, in the file's order. */
export const keyOrigins = ({ document, lookup }: ConfigFile): KeyOrigin[] => {
  const { providers, models } = readDraft(document)
  const used = usedProviders(models)
  return Object.entries(providers).flatMap(([provider, { type = '', api_key, api_keys }]): KeyOrigin[] => {
    if (!used.has(provider)) return []
    const written = [api_key, ...(api_keys ?? [])].filter(key => typeof key === 'string')
    return written.length === 0
      ? [{ provider, type, variables: [], source: null, value: null, state: 'none' }]
      : written.map(key => ({ provider, type, ...originOf(interpolate(key, lookup)) }))
  })
}

const originOf = ({ text, references }: Interpolation): Omit<KeyOrigin, 'provider' | 'type'> => ({
  variables: references.map(({ name }) => name),
  source: references.length === 0 ? 'file' : (references.find(({ source }) => source)?.source ?? null),
  value: text || null,
  state: text ? 'present' : 'missing',
})
