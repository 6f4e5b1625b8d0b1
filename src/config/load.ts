import { crossCheckFindings } from './cross-checks.ts'
import { readDraft, usedProviders } from './draft.ts'
import { ConfigError, type Fault, type Finding, type Path, renderPath, toFault } from './fault.ts'
import { type ConfigFile, type ConfigSources, readConfigFile } from './file.ts'
import { applyOverrides, isTable, overridesFrom } from './overrides.ts'
import { type Renamed, renameKeys } from './renamed-keys.ts'
import { type Config, configSchema } from './schema.ts'
import { schemaFindings } from './schema-faults.ts'
import {
  createSecretFiles,
  readSecretFiles,
  type SecretFiles,
  targetOf,
  type WithSecrets,
} from './secret-files.ts'
import { type Filled, fillVariables } from './variables.ts'
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

/**
 * The config that a process runs on, frozen. `onRenamed` hears of each key that is given by its old name. Throws ConfigError with every
 * fault at once.
 */
export const loadConfig = (sources: ConfigSources, onRenamed: (warning: Fault) => void = () => {}): Config =>
  judgedConfig(readConfigFile(sources), onRenamed)

/** The same of a file that was read; its mounted secrets are read by `files`. */
export const judgedConfig = (
  source: ConfigFile,
  onRenamed: (warning: Fault) => void = () => {},
  files?: SecretFiles,
): Config => {
  const { file, config, faults, warnings } = inspectConfig(source, files)
  if (config === null || faults.length > 0) throw new ConfigError(file, faults)
  warnings.filter(({ code }) => code === 'renamed_key').forEach(warning => void onRenamed(warning))
  return config
}

/** Judges a config without refusing it. */
export const inspectConfig = (
  { path: file, document, lookup, lineOf }: ConfigFile,
  files: SecretFiles = createSecretFiles(),
): Inspection => {
  const written = withoutEmptySections(document)
  const overrides = overridesFrom(lookup)
  const complete = (unfilled: 'keep' | 'drop'): Complete => {
    const filled = fillVariables(written, lookup, unfilled)
    const renamed = renameKeys(filled.document)
    const secrets = readSecretFiles(renamed.document, files)
    return { ...filled, renamed, secrets, document: applyOverrides(secrets.document, overrides) }
  }
  const whole = complete('keep')
  const place = (finding: Finding): Fault => {
    const at = renderPath(finding.path)
    const override = overrides.find(({ path }) => renderPath(path) === at)
    if (override !== undefined)
      return toFault({ ...finding, message: `${finding.message} (from ${override.variable})` })
    const key = whole.renamed.keys.find(({ now }) => renderPath(now) === at)
    return toFault(finding, lineOf(key?.old ?? finding.path))
  }
  const parsed = configSchema.safeParse(complete('drop').document)
  const config = parsed.success ? deepFreeze(parsed.data) : null
  const warnings = [...whole.renamed.warnings, ...(config === null ? [] : warningFindings(config))]
  return {
    file,
    config,
    faults: byLine([...emptiness(file, written), ...findFaults(whole)].map(place)),
    warnings: byLine(warnings.map(place)),
  }
}

/** A document with its variables put in, its keys by their names of now, and the overrides of the environment. */
interface Complete extends Filled {
  readonly renamed: Renamed
  readonly secrets: WithSecrets
}

/**
 * A file without providers would serve nothing, or simulated ones that its author did not ask for.
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

/** A text that could not be filled stays in the document here, so that a setting that is there is not said to be missing. */
const findFaults = ({ document, faults, missingKeys, renamed, secrets }: Complete): Finding[] => {
  const draft = readDraft(document)
  const used = usedProviders(draft.models)
  const unfilled = new Set(
    [
      ...[...faults, ...missingKeys].map(({ path }) => nameOfNow(renamed, path)),
      ...[...secrets.faults, ...secrets.missingKeys].map(({ path }) => targetOf(path)),
    ].map(renderPath),
  )
  const others = [...schemaFindings(document), ...crossCheckFindings(draft)]
  return [
    ...faults,
    ...renamed.faults,
    ...secrets.faults,
    ...[...missingKeys, ...secrets.missingKeys].filter(({ path }) => used.has(String(path[1]))),
    ...others.filter(({ path }) => !unfilled.has(renderPath(path))),
  ]
}

const nameOfNow = ({ keys }: Renamed, path: Path): Path =>
  keys.find(({ old }) => renderPath(old) === renderPath(path))?.now ?? path

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
