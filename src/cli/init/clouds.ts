import { vendorSettings } from '../../config/vendor-settings.ts'
import { CommandError, CommandLineError } from '../command-io.ts'
import type { InitOptions } from './options.ts'
import type { Setup } from './setup.ts'
import type { Vendor } from './vendors.ts'

/** A setting that says where in a cloud its models are; also the name of its flag. */
type PlaceSetting = 'resource' | 'region' | 'location' | 'project'

interface Asked {
  readonly setting: PlaceSetting
  /** Variables that the cloud's own tools read. */
  readonly variables: readonly string[]
  /** Taken where nobody says another. */
  readonly usual: string | null
  readonly question: string
}

const asked: Readonly<Record<string, readonly Asked[]>> = {
  azure: [
    {
      setting: 'resource',
      variables: ['AZURE_RESOURCE_NAME'],
      usual: null,
      question: 'Resource of azure, as in https://RESOURCE.openai.azure.com',
    },
  ],
  bedrock: [
    {
      setting: 'region',
      variables: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
      usual: null,
      question: 'Region of bedrock, as us-east-1',
    },
  ],
  vertex: [
    {
      setting: 'location',
      variables: ['GOOGLE_CLOUD_LOCATION'],
      usual: 'global',
      question: 'Location of vertex: global, eu, us or a region',
    },
  ],
}

const owners: Readonly<Record<PlaceSetting, string>> = {
  resource: 'azure',
  region: 'bedrock',
  location: 'vertex',
  project: 'vertex',
}

/** Why a cloud may list nothing to whoever may call its models. */
export const unlisted: Readonly<Record<string, string>> = {
  azure: 'this resource does not list its deployments (newer ones do so only by Azure’s management)',
  bedrock:
    'its models are not listed (that needs bedrock:ListFoundationModels, bedrock:ListInferenceProfiles and the control plane)',
  vertex:
    'its models are not listed (Google does so at some locations, and for whoever may use the project’s quota)',
}

const flags = Object.keys(owners) as PlaceSetting[]

/** Clouds show an identity where there is no key. */
export const isCloud = (type: string): boolean => Object.hasOwn(asked, type)

const faultOf = (setting: PlaceSetting, value: string): string | null =>
  vendorSettings[setting].safeParse(value).error?.issues[0]?.message ?? null

/** Throws CommandLineError for a flag of a vendor that is not among the chosen, and for a value that is none. */
export const checkPlaceFlags = (options: InitOptions, chosen: readonly Vendor[]): void => {
  for (const flag of flags) {
    const value = options[flag]
    if (value === undefined) continue
    const owner = owners[flag]
    if (!chosen.some(({ type }) => type === owner))
      throw new CommandLineError(`--${flag} ${value}: there is no --provider ${owner} with it.`)
    const fault = faultOf(flag, value)
    if (fault !== null) throw new CommandLineError(`--${flag} ${value}: ${fault}.`)
  }
  if (options.resource !== undefined && options.baseUrl.some(text => text.startsWith('azure=')))
    throw new CommandLineError('--resource and --base-url azure=URL both say where azure is: keep one.')
}

/** Where the models of a vendor are, by flags, the environment or the person; nothing for vendors with one address. */
export const placeOf = async (
  setup: Setup,
  type: string,
  url: string | null,
): Promise<Readonly<Record<string, string>>> => {
  const { options, variables } = setup
  const found: Record<string, string> = {}
  if (type === 'vertex' && options.project !== undefined) found.project = options.project
  // The address of a resource has its name in it; elsewhere the place is said beside an address.
  const missing = type === 'azure' && url !== null ? [] : (asked[type] ?? [])
  for (const one of missing) {
    const { setting } = one
    const variable = one.variables.find(name => variables[name])
    const value = options[setting] ?? (variable && variables[variable]) ?? (await askFor(setup, type, one))
    const fault = faultOf(setting, value)
    if (fault !== null) throw new CommandError(`The ${setting} of ${type} in ${variable}: ${fault}.`)
    found[setting] = value
  }
  return found
}

const askFor = async (
  { ask, terminal }: Setup,
  type: string,
  { setting, usual, question, variables }: Asked,
): Promise<string> => {
  if (ask === null) {
    if (usual !== null) return usual
    const address = type === 'azure' ? ', or its address: --base-url azure=URL' : ''
    throw new CommandError(
      `${type} needs a ${setting}: --${setting} NAME, or ${variables[0]} in the environment${address}.`,
    )
  }
  for (;;) {
    const answer = await ask(`${question}${usual === null ? '' : ` [${usual}]`}: `)
    const value = answer === '' ? usual : answer
    const fault = value === null ? `${type} needs a ${setting}` : faultOf(setting, value)
    if (fault === null) return value!
    terminal.err(`  ${fault}`)
  }
}
