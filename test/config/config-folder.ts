import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ConfigError, type Fault } from '../../src/config/fault.ts'
import type { ConfigSources } from '../../src/config/file.ts'
import { loadConfig } from '../../src/config/load.ts'

/** A folder with these files, gone when the test is over. */
export const configFolder = (files: Readonly<Record<string, string>>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** What loading these sources is refused with. */
export const refusalOf = (sources: ConfigSources): ConfigError => {
  try {
    loadConfig(sources)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the config was accepted')
}

/** A config about something else needs a provider all the same: none is a fault of its own. */
export const withProvider = (text: string): string =>
  /^(?:providers:|[[{]|- )/m.test(text) ? text : `${text}\nproviders: {any: {type: simulated}}\n`

/** What a baton.yaml of this text is refused with, where no variable is set. */
export const errorOf = (text: string): ConfigError =>
  refusalOf({ cwd: configFolder({ 'baton.yaml': withProvider(text) }), env: {} })

export const faultsOf = (text: string): readonly Fault[] => errorOf(text).faults
