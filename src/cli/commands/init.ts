import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { parse } from 'yaml'
import { renderFault } from '../../config/fault.ts'
import { inspectConfig } from '../../config/load.ts'
import { applyOverrides, overridesFrom } from '../../config/overrides.ts'
import { type Config, configSchema } from '../../config/schema.ts'
import { type Ask, createAsk, isYes } from '../ask.ts'
import { CommandError, type CommandIo } from '../command-io.ts'
import { tryModel } from '../init/ask-vendor.ts'
import { closing } from '../init/closing.ts'
import { configPath, hasConfig, readDotenv, writeFiles } from '../init/files.ts'
import { type InitOptions, portOf } from '../init/options.ts'
import { configText, ownKeyVariable, type Plan } from '../init/plan.ts'
import { chooseVendors, prepare, type Ready } from '../init/prepare.ts'
import type { Setup } from '../init/setup.ts'

/** Sets up a config by questions, or by flags alone, and ends with a request that works. Answers 1 where no vendor that was tried answers. */
export const init = async (options: InitOptions, terminal: CommandIo): Promise<number> => {
  const { cwd, env, out } = terminal
  const folder = resolve(cwd, options.output)
  const ask = options.yes || !terminal.input.isTTY ? null : createAsk(terminal.input, terminal.output)
  const port = portOf(options.port)
  await refuseToReplace(folder, options, ask)
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value))
  const variables = { ...readDotenv(folder), ...set }
  const around = { ...proxyOf(variables), env }
  const setup: Setup = { options, terminal, ask, variables, around }

  const ready = await prepare(setup, await chooseVendors(setup))
  const plan: Plan = { providers: ready.map(({ planned }) => planned), port }
  const ownKey = variables[ownKeyVariable] ?? `bk_${randomBytes(24).toString('base64url')}`
  const keys = new Map([...keysIn(ready), [ownKeyVariable, ownKey]])
  const text = configText(plan, schemaFor(folder))
  refuseFaults(text, keys)
  const isTried = await wantsCalls(setup)
  const answers = isTried ? await tryAll(setup, ready) : []
  const noted = await writeFiles(folder, text, keys)
  out(['', ...closing({ plan, folder, cwd, ownKey, noted })].join('\n'))
  return answers.length > 0 && !answers.includes(true) ? 1 : 0
}

const refuseToReplace = async (folder: string, { force }: InitOptions, ask: Ask | null): Promise<void> => {
  if (force || !hasConfig(folder)) return
  const path = configPath(folder)
  if (ask === null)
    throw new CommandError(`${path} is there already: --force replaces it, --output FOLDER writes elsewhere.`)
  const answer = await ask(`${path} is there already. Replace it? [y/N] `)
  if (answer === '' || !isYes(answer)) throw new CommandError('Nothing was written.')
}

const proxyOf = (variables: Setup['variables']): Config['proxy'] => {
  const lookup = (name: string) =>
    variables[name] ? { value: variables[name], source: 'environment' as const } : null
  return configSchema.parse(
    applyOverrides(
      {},
      overridesFrom(lookup).filter(({ path }) => path[0] === 'proxy'),
    ),
  ).proxy
}

const keysIn = (ready: readonly Ready[]): [string, string][] =>
  ready.flatMap(({ planned: { keyVariable }, key }) =>
    keyVariable === null || key === null ? [] : [[keyVariable, key] as [string, string]],
  )

/** What is written is read first as a start would read it. */
const refuseFaults = (text: string, keys: ReadonlyMap<string, string>): void => {
  const lookup = (name: string) => {
    const value = keys.get(name)
    return value === undefined ? null : { value, source: '.env' as const }
  }
  const { faults } = inspectConfig({ path: null, document: parse(text), lookup, lineOf: () => undefined })
  if (faults.length === 0) return
  throw new CommandError(
    ['This would make no good config:', ...faults.map(fault => `  ${renderFault(fault)}`)].join('\n'),
  )
}

const wantsCalls = async ({ options: { check }, ask }: Setup): Promise<boolean> => {
  if (check !== undefined || ask === null) return check ?? false
  return isYes(
    await ask('Ask each model for one word, to see that it answers? That costs less than a cent. [Y/n] '),
  )
}

const tryAll = async ({ terminal, around }: Setup, ready: readonly Ready[]): Promise<readonly boolean[]> =>
  Promise.all(
    ready.map(async ({ planned: { type, model }, settings, key }) => {
      const { isGood, why } = await tryModel(type, settings, key, model, around)
      terminal.out(`${type}/${model}: ${why}`)
      return isGood
    }),
  )

/** The schema that comes with this program, as an editor finds it from the config; null where it has none. */
const schemaFor = (folder: string): string | null => {
  // From the sources, and from the bundle of the package.
  const places = ['../../..', '..', '.'].map(up => join(import.meta.dirname, up, 'baton.schema.json'))
  const found = places.find(path => existsSync(path))
  return found === undefined ? null : relative(folder, found).replaceAll(sep, '/')
}
