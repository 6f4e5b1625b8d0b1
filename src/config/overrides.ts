import type { Lookup } from './file.ts'

/** A variable that wins over what the file says. */
export interface Override {
  readonly variable: string
  readonly path: readonly [section: string, key: string]
  readonly value: string
}

const overridable: readonly Omit<Override, 'value'>[] = [
  { variable: 'REDIS_URL', path: ['redis', 'url'] },
  { variable: 'HOST', path: ['server', 'host'] },
  { variable: 'PORT', path: ['server', 'port'] },
  { variable: 'ADMIN_HOST', path: ['server', 'admin_host'] },
  { variable: 'ADMIN_PORT', path: ['server', 'admin_port'] },
  // The last one wins: in lower case, as curl has it.
  { variable: 'HTTP_PROXY', path: ['proxy', 'http'] },
  { variable: 'http_proxy', path: ['proxy', 'http'] },
  { variable: 'HTTPS_PROXY', path: ['proxy', 'https'] },
  { variable: 'https_proxy', path: ['proxy', 'https'] },
  { variable: 'NO_PROXY', path: ['proxy', 'except'] },
  { variable: 'no_proxy', path: ['proxy', 'except'] },
]

export const overridesFrom = (lookup: Lookup): Override[] =>
  overridable.flatMap(target => {
    const value = lookup(target.variable)?.value
    return value === undefined ? [] : { ...target, value }
  })

export const applyOverrides = (document: unknown, overrides: readonly Override[]): unknown => {
  if (!isTable(document)) return document
  const result = { ...document }
  for (const { path, value } of overrides) {
    const [section, key] = path
    const settings = result[section] ?? {}
    // A section of the wrong kind is left for the schema to name.
    if (isTable(settings)) result[section] = { ...settings, [key]: value }
  }
  return result
}

export const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
