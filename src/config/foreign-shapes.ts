// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the config's own syntax for variables
import type { Path } from './fault.ts'

/** What a value of the wrong kind should have been. */
export interface Expected {
  readonly message: string
  readonly suggestion?: string | undefined
}

type Advice = (value: unknown) => Expected | null

const isText = (value: unknown): value is string => typeof value === 'string'
const isTable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const unlessTable =
  (message: string): Advice =>
  value =>
    isTable(value) ? null : { message }

/** `openai/gpt-4o`, as LiteLLM and OpenRouter name a provider and its model at once. */
const providerAndModel = (text: string): string | undefined => {
  const [, provider, model] = /^([a-z][\w-]*)\/([\w./:-]+)$/.exec(text) ?? []
  return provider === undefined ? undefined : `{provider: ${provider}, upstream_model: ${model}}`
}

const route: Advice = value => {
  if (isTable(value)) return null
  const message = 'expected the settings of a route, as {provider: openai}'
  return { message, suggestion: isText(value) ? providerAndModel(value) : undefined }
}

/** By the place of a value; `*` stands for any name or number. The first that fits. */
const places: readonly (readonly [pattern: readonly string[], advice: Advice])[] = [
  [
    [],
    unlessTable(
      'expected the sections of a config, providers and models first, as baton.example.yaml has them',
    ),
  ],
  [['providers'], unlessTable('expected providers by their names, as openai: {type: openai}, and no list')],
  [
    ['providers', '*'],
    unlessTable('expected the settings of a provider, as {type: openai, api_key: "${OPENAI_API_KEY}"}'),
  ],
  [['providers', '*', 'models'], unlessTable('expected models by their names, as gpt-4o: {}, and no list')],
  [
    ['models'],
    unlessTable(
      'expected routes by the names that clients ask for, as gpt-4o: {provider: openai}, and no list',
    ),
  ],
  [['models', '*'], route],
  [
    ['models', '*', 'provider'],
    value =>
      isText(value)
        ? null
        : { message: 'expected the name of one provider; the others follow by fallback_to' },
  ],
  [
    ['models', '*', 'fallback_to'],
    () => ({
      message:
        'expected the name of a route, or a list of them: a fallback is a route of its own under models, and named here',
    }),
  ],
  [
    ['models', '*', 'price'],
    unlessTable('expected US dollars per million tokens, as {input: 2.5, output: 10}'),
  ],
  [
    ['api_keys'],
    value =>
      Array.isArray(value) ? null : { message: 'expected a list, as - {key: "${CLIENT_KEY}", name: alice}' },
  ],
]

const fits = (pattern: readonly string[], path: Path): boolean =>
  pattern.length === path.length && pattern.every((part, i) => part === '*' || part === path[i])

const switches: Readonly<Record<string, string>> = {
  ...{ yes: 'true', on: 'true', y: 'true', enabled: 'true', '1': 'true' },
  ...{ no: 'false', off: 'false', n: 'false', disabled: 'false', '0': 'false' },
}

/** An address as a browser takes it. */
export const withScheme = (value: unknown): string | undefined => {
  const [, host] = /^([\w.-]+)(?::\d+)?(?:\/[\w./-]*)?$/.exec(String(value)) ?? []
  if (host === undefined) return undefined
  return `${/^(?:localhost|127\.)/.test(host) ? 'http' : 'https'}://${String(value)}`
}

const factors: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9 }

/** `10k`, `1_000`, `1,000`: what has a unit, or signs between its digits. */
const plainNumber = (text: string): string | undefined => {
  const [, digits, unit = ''] = /^(\d[\d_,.]*)\s*([kmg])?$/i.exec(text.trim()) ?? []
  if (digits === undefined) return undefined
  const number = Number(digits.replace(/[_,](?=\d{3})/g, '')) * (factors[unit.toLowerCase()] ?? 1)
  return Number.isFinite(number) ? String(number) : undefined
}

/** What to write in place of a value of another kind; null where the schema says it well enough. */
export const expectedAt = (path: Path, value: unknown, wanted: string | undefined): Expected | null => {
  for (const [pattern, advice] of places) {
    const found = fits(pattern, path) ? advice(value) : null
    if (found !== null) return found
  }
  if (wanted === 'boolean')
    return { message: 'expected true or false', suggestion: switches[String(value).toLowerCase()] }
  const number = (wanted === 'number' || wanted === 'int') && isText(value) ? plainNumber(value) : undefined
  return number === undefined ? null : { message: 'expected a number alone', suggestion: number }
}
