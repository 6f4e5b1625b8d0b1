import { didYouMean } from '../../config/did-you-mean.ts'
import { meantType } from '../../config/other-words.ts'
import { CommandLineError } from '../command-io.ts'
import { type Vendor, vendorOf, vendors } from './vendors.ts'

export interface InitOptions {
  readonly provider: readonly string[]
  readonly keyEnv: readonly string[]
  readonly baseUrl: readonly string[]
  readonly model: readonly string[]
  /** Where in a cloud: of `azure`, `bedrock` and, the last two, `vertex`. */
  readonly resource?: string
  readonly region?: string
  readonly location?: string
  readonly project?: string
  readonly output: string
  readonly port: string
  readonly yes: boolean
  readonly force: boolean
  /** Undefined where neither `--check` nor `--no-check` says it. */
  readonly check?: boolean
}

/** The vendor of a word that somebody wrote. Throws CommandLineError with what was probably meant. */
export const vendorNamed = (word: string): Vendor => {
  const found = vendorOf(word)
  if (found !== undefined) return found
  const names = vendors.map(({ type }) => type)
  const meant = meantType(word)?.suggestion ?? didYouMean(word, names)
  const hint =
    meant !== undefined && names.includes(meant)
      ? ` Did you mean ${meant}?`
      : ` It knows ${names.join(', ')}. All others are set up by hand: see baton.example.yaml.`
  throw new CommandLineError(`init knows no vendor "${word}".${hint}`)
}

/** `NAME=VALUE` by name; a value alone is for the only vendor there is. Throws CommandLineError. */
export const byVendor = (
  flag: string,
  values: readonly string[],
  chosen: readonly Vendor[],
): ReadonlyMap<string, string> => {
  const pairs = values.map((text): [string, string] => {
    const at = text.indexOf('=')
    const name = at > 0 ? text.slice(0, at) : ''
    if (vendorOf(name) !== undefined) {
      if (chosen.some(({ type }) => type === name)) return [name, text.slice(at + 1)]
      throw new CommandLineError(`${flag} ${text}: there is no --provider ${name} with it.`)
    }
    if (chosen.length === 1) return [chosen[0]!.type, text]
    throw new CommandLineError(
      `${flag} ${text}: say whose it is, as ${flag} ${chosen[0]?.type ?? 'openai'}=${text}.`,
    )
  })
  const [twice] = pairs.filter(([name], i) => pairs.findIndex(([other]) => other === name) !== i)
  if (twice !== undefined) throw new CommandLineError(`${flag} is given twice for ${twice[0]}.`)
  return new Map(pairs)
}

export const portOf = (text: string): number => {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw new CommandLineError(`--port ${text}: expected a number from 1 to 65535.`)
  return port
}

export const urlOf = (type: string, text: string): string => {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new CommandLineError(
      `--base-url ${type}=${text}: expected an address such as https://api.example.com/v1.`,
    )
  return text
}

export const variableOf = (type: string, text: string): string => {
  const { keyVariables } = vendorOf(type)!
  if (keyVariables.length === 0)
    throw new CommandLineError(`--key-env ${type}: ${type} takes no key, but the identity of its cloud.`)
  if (!/^[A-Za-z_]\w*$/.test(text))
    throw new CommandLineError(
      `--key-env ${type}: expected the name of a variable, such as ${keyVariables[0]}, not a key.`,
    )
  return text
}
