import type { Finding, Path } from './fault.ts'
import type { Lookup, Variable } from './file.ts'
import { meantVariable } from './foreign-variables.ts'
import { vendorCredentials } from './vendor-settings.ts'

/** One `${NAME}` or `${NAME:-default}` of a text. */
export interface Reference {
  readonly name: string
  /** Where its value came from; null when there is none. */
  readonly source: Variable['source'] | 'default' | null
}

export interface Interpolation {
  /** The text with its variables put in; null when one is missing or malformed. */
  readonly text: string | null
  readonly references: readonly Reference[]
  readonly malformed: boolean
}

const opening = /\$\{([^}]*)(\}|$)/g
const wellFormed = /^([A-Za-z_]\w*)(?::-(.*))?$/s

export const interpolate = (text: string, lookup: Lookup): Interpolation => {
  const references: Reference[] = []
  let malformed = false
  const result = text.replace(opening, (_, inner: string, end: string) => {
    const match = end === '}' ? wellFormed.exec(inner) : null
    if (match === null) {
      malformed = true
      return ''
    }
    const [, name = '', fallback] = match
    const variable = lookup(name)
    references.push({ name, source: variable?.source ?? (fallback === undefined ? null : 'default') })
    return variable?.value ?? fallback ?? ''
  })
  const whole = !malformed && references.every(({ source }) => source !== null)
  return { text: whole ? result : null, references, malformed }
}

const keySettings: readonly unknown[] = ['api_key', ...vendorCredentials]

/** A provider's own key. It may be missing without making the document faulty. */
const isProviderKey = (path: Path): boolean =>
  path[0] === 'providers' &&
  ((path.length === 3 && keySettings.includes(path[2])) || (path.length === 4 && path[2] === 'api_keys'))

const absent = Symbol('absent')
/** What a value would be taken for: a key, say, that no vendor knows. */
const notAVariable = `variables of the environment are written \${NAME}, or \${NAME:-default}`

export interface Filled {
  /** The document with its variables put in. A setting that is nothing but an empty default is left out. */
  readonly document: unknown
  readonly faults: readonly Finding[]
  /** Provider keys whose variables are set nowhere: code `missing_key`. */
  readonly missingKeys: readonly Finding[]
}

/** Texts that cannot be filled are kept as written, or their settings dropped. */
export const fillVariables = (document: unknown, lookup: Lookup, unfilled: 'keep' | 'drop'): Filled => {
  const faults: Finding[] = []
  const missingKeys: Finding[] = []

  const fillText = (written: string, path: Path): string | typeof absent => {
    const meant = meantVariable(written)
    if (meant !== undefined) {
      faults.push({ code: 'invalid', path, message: notAVariable, suggestion: meant })
      return unfilled === 'keep' ? written : absent
    }
    const { text, references, malformed } = interpolate(written, lookup)
    if (text === null) {
      const finding = unfilledFinding(path, references, malformed)
      if (finding.code === 'missing_key') missingKeys.push(finding)
      else faults.push(finding)
      return unfilled === 'keep' ? written : absent
    }
    // "${NAME:-}" is how a file says that a setting is optional.
    return text === '' && references.length > 0 ? absent : text
  }

  const fill = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') return fillText(value, path)
    if (Array.isArray(value)) {
      const items = value.map((item, index) => fill(item, [...path, index])).filter(item => item !== absent)
      return items.length === 0 && value.length > 0 ? absent : items
    }
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([key, item]) => [key, fill(item, [...path, key])] as const)
    return Object.fromEntries(entries.filter(([, item]) => item !== absent))
  }

  const filled = fill(document, [])
  return { document: filled === absent ? {} : filled, faults, missingKeys }
}

const unfilledFinding = (path: Path, references: readonly Reference[], malformed: boolean): Finding => {
  if (malformed) return { code: 'invalid', path, message: `expected \${NAME} or \${NAME:-default}` }
  const unset = references.filter(({ source }) => source === null).map(({ name }) => name)
  const message = `${unset.join(' and ')} ${unset.length > 1 ? 'are' : 'is'} set neither in the environment nor in .env`
  return isProviderKey(path)
    ? { code: 'missing_key', path, message: `no key: ${message}` }
    : { code: 'missing_variable', path, message }
}
