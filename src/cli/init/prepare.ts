import { didYouMean } from '../../config/did-you-mean.ts'
import { type Config, configSchema } from '../../config/schema.ts'
import { headerSafeKey } from '../../config/vendor-settings.ts'
import { hasModel } from '../../domain/routing/listed-models.ts'
import { isYes } from '../ask.ts'
import { CommandError } from '../command-io.ts'
import { type Heard, hearVendor } from './ask-vendor.ts'
import { checkPlaceFlags, isCloud, placeOf, unlisted } from './clouds.ts'
import { byVendor, urlOf, variableOf, vendorNamed } from './options.ts'
import type { PlannedProvider } from './plan.ts'
import type { Setup } from './setup.ts'
import { proposedModel, type Vendor, vendors } from './vendors.ts'

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
  checkPlaceFlags(setup.options, chosen)
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
  const { ask, variables, terminal, around } = setup
  const variable = given.variable ?? keyVariables.find(name => variables[name]) ?? keyVariables[0]
  const url = given.url ?? (type === 'azure' ? azureAddress(setup) : null)
  const place = await placeOf(setup, type, url)
  let key = (variable && variables[variable]) || null
  for (;;) {
    const isWanted = needsKey || given.variable !== undefined
    if (key === null && variable !== undefined && (isWanted || (ask !== null && isCloud(type))))
      key = await askForKey(setup, type, variable, isWanted)
    const wrong = key === null ? null : faultOfKey(key)
    if (wrong !== null) throw new CommandError(`The key of ${type} in ${variable} has ${wrong}.`)
    const settings = settingsOf(type, { url, place, key })
    const planned = { type, baseUrl: url, place, keyVariable: key === null ? null : (variable ?? null) }
    const isAsked = key !== null || !isCloud(type) || (await mayShowIdentity(setup, type))
    const heard = isAsked ? await hearVendor(type, settings, key, around) : null
    if (heard?.status === 'refused' && key === null && isCloud(type)) {
      await acceptNoIdentity(setup, type, heard)
    } else if (heard?.status === 'refused') {
      const refusal = `${type} refuses the key${variables[variable!] ? ` in ${variable}` : ''} (${heard.why}).`
      if (ask === null || variables[variable!])
        throw new CommandError(`${refusal} Put a good one there, or leave ${type} out.`)
      terminal.err(refusal)
      key = null
      continue
    } else if (heard !== null) {
      terminal.out(`${type}: ${standingOf(type, heard, key !== null)}`)
    }
    const model = await chooseModel(setup, vendor, given.model, heard?.models ?? null)
    return { planned: { ...planned, model }, settings, key }
  }
}

/** As Azure's own libraries are told of it. */
const azureAddress = ({ options, variables }: Setup): string | null =>
  options.resource === undefined && variables.AZURE_OPENAI_ENDPOINT
    ? urlOf('azure', variables.AZURE_OPENAI_ENDPOINT)
    : null

/** An identity is nobody's secret that was typed for this: the person is asked before it is shown. */
const mayShowIdentity = async ({ ask, options: { check } }: Setup, type: string): Promise<boolean> =>
  ask === null
    ? check !== false
    : isYes(await ask(`Show ${type} the identity of this machine or login, to see that it is good? [Y/n] `))

/** Where it is to run there may be one: a person may go on, and flags say so by `--no-check`. */
const acceptNoIdentity = async (
  { ask, terminal }: Setup,
  type: string,
  { fault, why }: Heard,
): Promise<void> => {
  const refusal = fault ?? `${type} refuses the identity of this machine or login (${why}).`
  if (ask === null)
    throw new CommandError(`${type}: ${refusal} Where only the server has an identity: --no-check.`)
  terminal.err(`${type}: ${refusal}`)
  const answer = await ask('Set it up all the same? [y/N] ')
  if (answer === '' || !isYes(answer)) throw new CommandError('Nothing was written.')
}

const standingOf = (type: string, { status, why, models, identity }: Heard, hasKey: boolean): string => {
  const listed =
    models === null
      ? (unlisted[type] ?? 'it has no list of models')
      : `${models.length} model${models.length === 1 ? '' : 's'}`
  const shown = identity === null ? 'the key' : `the identity (${identity})`
  const isShown = hasKey || identity !== null
  switch (status) {
    case 'ok':
      return `${isShown ? `${shown} is good` : 'it answers'}, ${listed}`
    case 'out_of_quota':
      return `${shown} is good, but its account is empty (${why})`
    case 'unreachable':
      return `it cannot be reached now (${why})${isShown ? `, so that ${shown} is not checked` : ''}`
    default:
      return `${isShown ? `${shown} may be good: it was` : 'it was asked for its models, and'} answered with ${why}`
  }
}

const faultOfKey = (key: string): string | null =>
  headerSafeKey.safeParse(key).success ? null : 'a space, a line end or a letter that no key has'

/** Null where none is wanted: then a cloud is shown an identity. */
const askForKey = async (
  { ask, terminal }: Setup,
  type: string,
  variable: string,
  isWanted: boolean,
): Promise<string | null> => {
  if (ask === null)
    throw new CommandError(
      `${variable} is not set: it would have the key of ${type}. Set it, or name another variable: --key-env ${type}=NAME.`,
    )
  const orElse = isWanted ? '' : '; nothing to show an identity'
  for (;;) {
    const key = await ask(`Key of ${type} (is not shown, goes into .env as ${variable}${orElse}): `, {
      isHidden: true,
    })
    if (key === '' && !isWanted) return null
    const wrong = key === '' ? 'nothing in it' : faultOfKey(key)
    if (wrong === null) return key
    terminal.err(`That key has ${wrong}.`)
  }
}

const settingsOf = (
  type: string,
  { url, place, key }: { url: string | null; place: Readonly<Record<string, string>>; key: string | null },
): Config['providers'][string] =>
  configSchema.parse({
    providers: {
      it: { type, ...place, ...(url !== null && { base_url: url }), ...(key !== null && { api_key: key }) },
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
    if (listed === null || listed.length === 0 || hasModel(listed, model)) return null
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
    const named = type === 'azure' ? 'the name of a deployment' : 'a model'
    const why = unlisted[type] === undefined ? `${type} lists no models` : `${type}: ${unlisted[type]}`
    throw new CommandError(`${why}. Give ${named}: --model ${type}=NAME.`)
  }
  for (;;) {
    const answer = await ask(
      `  ${type === 'azure' ? 'deployment' : 'model'} of ${type}${proposed === null ? '' : ` [${proposed}]`}: `,
    )
    const model = answer === '' ? proposed : answer
    const fault = model === null ? `${type} needs a model` : faultOf(model)
    if (fault === null) return model!
    terminal.err(`  ${fault}`)
  }
}
