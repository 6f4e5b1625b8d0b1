import { ConfigError } from '../config/fault.ts'
import { type ConfigFile, type ConfigSources, readConfigFile } from '../config/file.ts'
import { inspectConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'

export interface OpenConfig {
  readonly file: ConfigFile
  readonly config: Config
  /** The environment of the command, where clouds tell who it is. */
  readonly env: ConfigSources['env']
}

/** The config for looking at: it may lack keys, as only calls need them. Throws ConfigError on any other fault. */
export const openConfig = (sources: ConfigSources): OpenConfig => {
  const file = readConfigFile(sources)
  const { config, faults } = inspectConfig(file)
  const serious = faults.filter(({ code }) => code !== 'missing_key')
  if (config === null || serious.length > 0) throw new ConfigError(file.path, serious)
  return { file, config, env: sources.env }
}
