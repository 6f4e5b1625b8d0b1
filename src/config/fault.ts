/** Where a setting stands in the document: keys and list indexes, from the top. */
export type Path = readonly (string | number)[]

export type FaultCode =
  | 'unreadable'
  | 'syntax'
  | 'invalid'
  | 'unknown_key'
  | 'renamed_key'
  | 'missing_variable'
  | 'missing_key'
  | 'relation'
  | 'one_provider_chain'
  | 'shared_mirror'
  | 'long_sync_timeout'
  | 'unused_provider'
  | 'nothing_configured'
  | 'fallback_limit'
  | 'unknown_price'

/** Something wrong with the config, as people and `--json` see it. Never holds a value that may be secret. */
export interface Fault {
  readonly code: FaultCode
  /** `providers.openai.timeout`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
  /** What was probably meant. */
  readonly suggestion?: string
  /** From 1; absent when the setting does not stand in the file. */
  readonly line?: number
  /** From 1; only where the file is not YAML. */
  readonly column?: number
}

/** A fault that still knows its path in parts, so that its line can be looked up: route names hold dots. */
export interface Finding {
  readonly code: FaultCode
  readonly path: Path
  readonly message: string
  readonly suggestion?: string | undefined
}

export const renderPath = (path: Path): string =>
  path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('')

export const toFault = (finding: Finding, line?: number): Fault => ({
  code: finding.code,
  path: renderPath(finding.path),
  message: finding.message,
  ...(finding.suggestion !== undefined && { suggestion: finding.suggestion }),
  ...(line !== undefined && { line }),
})

/** `line 7, providers.openai.timout: unknown key; did you mean "timeout"?` */
export const renderFault = ({ path, message, suggestion, line, column }: Fault): string => {
  const place = [
    line !== undefined && `line ${line}${column === undefined ? '' : `:${column}`}`,
    path !== '' && path,
  ].filter(part => part !== false)
  const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`
  return `${place.length > 0 ? `${place.join(', ')}: ` : ''}${message}${hint}`
}

/** Everything wrong with a config, at once. Its message is fit for a terminal and for a log. */
export class ConfigError extends Error {
  /** Absolute; null when no file was read. */
  readonly file: string | null
  readonly faults: readonly Fault[]

  constructor(file: string | null, faults: readonly Fault[], options?: ErrorOptions) {
    super([`${file ?? 'config'}:`, ...faults.map(fault => `  ${renderFault(fault)}`)].join('\n'), options)
    this.name = 'ConfigError'
    this.file = file
    this.faults = faults
  }
}
