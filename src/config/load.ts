import { readDraft, usedProviders } from './draft.ts'
import { ConfigError, type Fault, type Finding, renderPath, toFault } from './fault.ts'
import { type ConfigFile, type ConfigSources, type Lookup, readConfigFile } from './file.ts'
import { applyOverrides, isTable, type Override, overridesFrom } from './overrides.ts'
import { relationFindings } from './relations.ts'
import { type Config, configSchema } from './schema.ts'
import { schemaFindings } from './schema-faults.ts'
import { fillVariables } from './variables.ts'
import { warningFindings } from './warnings.ts'

/** Everything there is to say about a config. */
export interface Inspection {
  /** Absolute; null when no file was read. */
  readonly file: string | null
  /** Frozen. Null when the document does not fit the schema; usable at run time only without faults. */
  readonly config: Config | null
  readonly faults: readonly Fault[]
  readonly warnings: readonly Fault[]
}

/** The config that a process runs on, frozen. Throws ConfigError with every fault at once. */
export const loadConfig = (sources: ConfigSources): Config => {
  const { file, config, faults } = inspectConfig(readConfigFile(sources))
  if (config === null || faults.length > 0) throw new ConfigError(file, faults)
  return config
}

/** Judges a config without refusing it. */
export const inspectConfig = ({ path: file, document, lookup, lineOf }: ConfigFile): Inspection => {
  const written = withoutEmptySections(document)
  const overrides = overridesFrom(lookup)
  const place = (finding: Finding): Fault => {
    const override = overrides.find(({ path }) => renderPath(path) === renderPath(finding.path))
    return override === undefined
      ? toFault(finding, lineOf(finding.path))
      : toFault({ ...finding, message: `${finding.message} (from ${override.variable})` })
  }
  const filled = fillVariables(written, lookup, 'drop')
  const parsed = configSchema.safeParse(applyOverrides(filled.document, overrides))
  const config = parsed.success ? deepFreeze(parsed.data) : null
  return {
    file,
    config,
    faults: byLine([...emptiness(file, written), ...findFaults(written, lookup, overrides)].map(place)),
    warnings: byLine((config === null ? [] : warningFindings(config)).map(place)),
  }
}

/**
 * A file that names no provider would serve nothing, or what was never asked for: whoever has one means to configure something.
 * What is of the wrong kind the schema tells of.
 */
const emptiness = (file: string | null, written: unknown): Finding[] => {
  if (file === null || !isTable(written)) return []
  const { providers = {} } = written
  if (!isTable(providers) || Object.keys(providers).length > 0) return []
  const message =
    'no providers are configured: name at least one, as baton.example.yaml does, or take this file away to try Baton with simulated ones'
  return [{ code: 'nothing_configured', path: ['providers'], message }]
}

/** A text that could not be filled stays in the document here, so that nothing is said to be absent that is not. */
const findFaults = (written: unknown, lookup: Lookup, overrides: readonly Override[]): Finding[] => {
  const { document, faults, missingKeys } = fillVariables(written, lookup, 'keep')
  const complete = applyOverrides(document, overrides)
  const draft = readDraft(complete)
  const used = usedProviders(draft.models)
  const unfilled = new Set([...faults, ...missingKeys].map(({ path }) => renderPath(path)))
  const others = [...schemaFindings(complete), ...relationFindings(draft)]
  return [
    ...faults,
    ...missingKeys.filter(({ path }) => used.has(String(path[1]))),
    ...others.filter(({ path }) => !unfilled.has(renderPath(path))),
  ]
}

/** `providers:` with nothing but comments beneath is null in YAML; it means what leaving it out means. */
const withoutEmptySections = (document: unknown): unknown =>
  isTable(document)
    ? Object.fromEntries(Object.entries(document).filter(([, section]) => section !== null))
    : document

const byLine = (faults: readonly Fault[]): Fault[] =>
  faults.toSorted((a, b) => (a.line ?? Number.MAX_VALUE) - (b.line ?? Number.MAX_VALUE))

const deepFreeze = <Value>(value: Value): Value => {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part)
    Object.freeze(value)
  }
  return value
}
