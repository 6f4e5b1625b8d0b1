import { ConfigError, type Fault, renderFault } from '../../config/fault.ts'
import { type ConfigSources, readConfigFile } from '../../config/file.ts'
import { type Inspection, inspectConfig } from '../../config/load.ts'
import { type RouteTarget, resolveRoutes } from '../../domain/routing/chain.ts'
import type { Strategy } from '../../domain/routing/strategy.ts'
import { type Out, renderJson } from '../command-io.ts'

/** Tells everything about a config. Answers 1 when it has faults. */
export const validateConfig = (sources: ConfigSources, { json }: { json: boolean }, out: Out): number => {
  const inspection = inspect(sources)
  out(json ? renderJson(report(inspection)) : describe(inspection))
  return inspection.faults.length === 0 ? 0 : 1
}

/** A file that cannot be read at all is reported like any other faulty one. */
const inspect = (sources: ConfigSources): Inspection => {
  try {
    return inspectConfig(readConfigFile(sources))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { file: error.file, config: null, faults: error.faults, warnings: [] }
  }
}

const chainsOf = ({ config }: Inspection): ReadonlyMap<string, readonly RouteTarget[]> =>
  config === null ? new Map() : resolveRoutes(config)

const report = (inspection: Inspection) => ({
  file: inspection.file,
  valid: inspection.faults.length === 0,
  faults: inspection.faults,
  warnings: inspection.warnings,
  chains: Object.fromEntries(chainsOf(inspection)),
})

const describe = (inspection: Inspection): string => {
  const { file, faults, warnings } = inspection
  return [
    file ?? 'no config file: the defaults',
    ...faults.map(fault => `  fault: ${renderFault(fault)}`),
    ...warnings.map(warning => `  warning: ${renderFault(warning)}`),
    ...[...chainsOf(inspection)].map(([route, targets]) =>
      renderChain(route, targets, inspection.config?.models[route]?.strategy),
    ),
    `${faults.length === 0 ? 'valid' : 'not valid'}: ${count(faults, 'fault')}, ${count(warnings, 'warning')}`,
  ].join('\n')
}

/** An arrow stands between those that are asked one after the other as they are written. */
const renderChain = (
  route: string,
  targets: readonly RouteTarget[],
  strategy: Strategy = 'ordered',
): string => {
  const names = targets.map(({ provider, model }) => `${provider}/${model}`)
  return strategy === 'ordered'
    ? `${route}: ${names.join(' -> ')}`
    : `${route}, ${strategy}: ${names.join(', ')}`
}

const count = ({ length }: readonly Fault[], noun: string): string =>
  `${length} ${noun}${length === 1 ? '' : 's'}`
