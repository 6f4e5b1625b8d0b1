import { didYouMean } from '../../config/did-you-mean.ts'
import { type Config, configSchema } from '../../config/schema.ts'
import { headerSafeKey } from '../../config/vendor-settings.ts'
import { type Ask, isYes } from '../ask.ts'
import { CommandError, type CommandIo } from '../command-io.ts'
import { type Heard, hearVendor } from './ask-vendor.ts'
import { byVendor, type InitOptions, urlOf, variableOf, vendorNamed } from './options.ts'
import type { PlannedProvider } from './plan.ts'
import { proposedModel, type Vendor, vendors } from './vendors.ts'

/** What is known while the questions are asked. */
export interface Setup {
  readonly options: InitOptions
  readonly terminal: CommandIo
  /** Null where nobody is to be asked. */
  readonly ask: Ask | null
  /** What the environment and the folder's `.env` say. */
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly proxy: Config['proxy']
}

/** A vendor with all that is needed to call it. */
export interface Ready {
  readonly planned: PlannedProvider
  readonly settings: Config['providers'][string]
  readonly key: string | null
}

/** Those that flags name, else those whose keys are there, else those that the person names. */
export const chooseVendors = async (setup: Setup): Promise<readonly Vendor[]> => {
  const { options, ask, variables, terminal } = setup
  if (options.provider.length > 0) return [...new Set(options.provider.map(vendorNamed))]
  const found = vendors.flatMap(vendor => {
    const variable = vendor.keyVariables.find(name => variables[name])
    return variable === undefined || !vendor.needsKey ? [] : [{ vendor, variable }]
  })
  const names = found.map(({ vendor, variable }) => `${vendor.type} (${variable})`).join(', ')
  if (ask === null) {
    if (found.length > 0) return found.map(({ vendor }) => vendor)
    const usual = vendors.slice(0, 3).map(({ keyVariables }) => keyVariables[0])
    throw new CommandError(
      `No vendor's key is in the environment (${usual.join(', ')}, …). Set one, or name vendors: --provider openai --key-env openai=MY_VARIABLE.`,
    )
  }
  if (found.length > 0 && isYes(await ask(`Keys found of ${names}. Use them? [Y/n] `)))
    return found.map(({ vendor }) => vendor)
  terminal.out(`Vendors: ${vendors.map(({ type }) => type).join(', ')}`)
  for (;;) {
    const words = (await ask('Which ones, the first choice first? '))
      .split(/[\s,]+/)
      .filter(word => word !== '')
    try {
      if (words.length > 0) return [...new Set(words.map(vendorNamed))]
    } catch (error) {
      terminal.err((error as Error).message)
    }
  }
}

/** Asks for what is missing, and each vendor for its models. Throws CommandError with a sentence for whoever gave the flags. */
export const prepare = async (setup: Setup, chosen: readonly Vendor[]): Promise<readonly Ready[]> => {
  const { keyEnv, baseUrl, model } = setup.options
  const given = {
    keyEnv: byVendor('--key-env', keyEnv, chosen),
    baseUrl: byVendor('--base-url', baseUrl, chosen),
    model: byVendor('--model', model, chosen),
  }
  const ready: Ready[] = []
  for (const vendor of chosen) {
    const { type } = vendor
    const named = given.keyEnv.get(type)
    const address = given.baseUrl.get(type)
    const url = address === undefined ? null : urlOf(type, address)
    const variable = named === undefined ? undefined : variableOf(type, named)
    ready.push(await prepareOne(setup, vendor, { variable, url, model: given.model.get(type) }))
  }
  return ready
}

interface Given {
  readonly variable: string | undefined
  readonly url: string | null
  readonly model: string | undefined
}

const prepareOne = async (setup: Setup, vendor: Vendor, given: Given): Promise<Ready> => {
  const { type, needsKey, keyVariables } = vendor
  const { ask, variables, terminal, proxy } = setup
  const variable = given.variable ?? keyVariables.find(name => variables[name]) ?? keyVariables[0]!
  let key = variables[variable] ?? null
  for (;;) {
    if (key === null && needsKey) key = await askForKey(setup, type, variable)
    const wrong = key === null ? null : faultOfKey(key)
    if (wrong !== null) throw new CommandError(`The key of ${type} in ${variable} has ${wrong}.`)
    const settings = settingsOf(type, given.url, key)
    const heard = await hearVendor(type, settings, key, proxy)
    if (heard.status === 'refused') {
      const refusal = `${type} refuses the key${variables[variable] ? ` in ${variable}` : ''} (${heard.why}).`
      if (ask === null || variables[variable])
        throw new CommandError(`${refusal} Put a good one there, or leave ${type} out.`)
      terminal.err(refusal)
      key = null
      continue
    }
    terminal.out(`${type}: ${standingOf(heard, key !== null)}`)
    const model = await chooseModel(setup, vendor, given.model, heard.models)
    const planned = { type, baseUrl: given.url, keyVariable: key === null ? null : variable, model }
    return { planned, settings, key }
  }
}

const standingOf = ({ status, why, models }: Heard, hasKey: boolean): string => {
  const listed =
    models === null ? 'it has no list of models' : `${models.length} model${models.length === 1 ? '' : 's'}`
  switch (status) {
    case 'ok':
      return `${hasKey ? 'the key is good' : 'it answers'}, ${listed}`
    case 'out_of_quota':
      return `the key is good, but its account is empty (${why})`
    case 'unreachable':
      return `it cannot be reached now (${why})${hasKey ? ', so that its key is not checked' : ''}`
    default:
      return `${hasKey ? 'the key may be good: it was' : 'it was asked for its models, and'} answered with ${why}`
  }
}

const faultOfKey = (key: string): string | null =>
  headerSafeKey.safeParse(key).success ? null : 'a space, a line end or a letter that no key has'

const askForKey = async ({ ask, terminal }: Setup, type: string, variable: string): Promise<string> => {
  if (ask === null)
    throw new CommandError(
      `${variable} is not set: it would have the key of ${type}. Set it, or name another variable: --key-env ${type}=NAME.`,
    )
  for (;;) {
    const key = await ask(`Key of ${type} (is not shown, goes into .env as ${variable}): `, {
      isHidden: true,
    })
    const wrong = key === '' ? 'nothing in it' : faultOfKey(key)
    if (wrong === null) return key
    terminal.err(`That key has ${wrong}.`)
  }
}

const settingsOf = (type: string, url: string | null, key: string | null): Config['providers'][string] =>
  configSchema.parse({
    providers: {
      it: { type, ...(url !== null && { base_url: url }), ...(key !== null && { api_key: key }) },
    },
  }).providers.it!

const chooseModel = async (
  { ask, terminal }: Setup,
  vendor: Vendor,
  given: string | undefined,
  listed: readonly string[] | null,
): Promise<string> => {
  const { type } = vendor
  const faultOf = (model: string): string | null => {
    if (listed === null || listed.length === 0 || listed.includes(model)) return null
    const meant = didYouMean(model, listed)
    return `${type} does not list "${model}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`
  }
  if (given !== undefined) {
    const fault = faultOf(given)
    if (fault !== null) throw new CommandError(`--model ${type}=${given}: ${fault}`)
    return given
  }
  const proposed = proposedModel(vendor, listed)
  if (ask === null) {
    if (proposed !== null) return proposed
    throw new CommandError(`${type} lists no models: name one with --model ${type}=NAME.`)
  }
  for (;;) {
    const answer = await ask(`  model of ${type}${proposed === null ? '' : ` [${proposed}]`}: `)
    const model = answer === '' ? proposed : answer
    const fault = model === null ? `${type} needs a model` : faultOf(model)
    if (fault === null) return model!
    terminal.err(`  ${fault}`)
  }
}
