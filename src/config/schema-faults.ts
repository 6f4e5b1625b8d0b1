import { z } from 'zod'
import { didYouMean } from './did-you-mean.ts'
import { meantDuration, notADuration } from './durations.ts'
import type { Finding, Path } from './fault.ts'
import { expectedAt, withScheme } from './foreign-shapes.ts'
import { type Meant, meantChoice, meantKey, snakeCase, vendorMeant } from './other-words.ts'
import { configSchema } from './schema.ts'

type Issue = z.core.$ZodIssue

/** What the schema has against a document, one finding per setting. */
export const schemaFindings = (document: unknown): Finding[] =>
  (configSchema.safeParse(document).error?.issues ?? []).flatMap(issue => findingsOf(issue, document))

const findingsOf = (issue: Issue, document: unknown): Finding[] => {
  const path = issue.path.map(part => (typeof part === 'number' ? part : String(part)))
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(key => unknownKey(path, key))
    case 'invalid_key':
      return [{ code: 'invalid', path, message: issue.issues[0]?.message ?? issue.message }]
    case 'invalid_value':
      return [unknownChoice(path, issue.values.map(String), document)]
    default: {
      const value = valueAt(document, path)
      const wanted = issue.code === 'invalid_type' ? issue.expected : undefined
      const isShape = wanted !== undefined || issue.code === 'invalid_union'
      const expected = isShape && value !== undefined ? expectedAt(path, value, wanted) : null
      return [
        {
          code: 'invalid',
          path,
          message: plain(issue.message),
          ...(issue.message === notADuration && { suggestion: meantDuration(value) }),
          ...(path.at(-1) === 'base_url' && !isShape && { suggestion: withScheme(value) }),
          ...expected,
        },
      ]
    }
  }
}

const unknownKey = (path: Path, key: string): Finding => {
  const { suggestion, advice } = meantAt(path, key)
  return {
    code: 'unknown_key',
    path: [...path, key],
    message: advice === undefined ? 'unknown key' : `unknown key: ${advice}`,
    suggestion,
  }
}

/** In milliseconds, or in seconds, by its name; durations bear their unit. */
const unitInName = /_?(?:ms|msec|millis|milliseconds|s|sec|secs|seconds|minutes|mins)$/

const meantAt = (path: Path, key: string): Meant => {
  const known = knownKeys(path)
  const snake = snakeCase(key)
  if (known.includes(snake)) return { suggestion: snake }
  const listed = meantKey(path, key)
  if (listed !== undefined) return listed
  const bare = snake.replace(unitInName, '')
  if (bare !== snake && known.includes(bare))
    return { suggestion: bare, advice: 'a duration bears its unit, as 30s' }
  const near = didYouMean(key, known) ?? didYouMean(snake, known)
  const vendor = near === undefined && path.length === 0 ? vendorMeant(key) : undefined
  if (vendor !== undefined)
    return { suggestion: `providers.${vendor}`, advice: `a provider of type ${vendor}` }
  return { suggestion: near ?? elsewhere(path, snake) }
}

const unknownChoice = (path: Path, choices: readonly string[], document: unknown): Finding => {
  const chosen = valueAt(document, path)
  if (chosen === undefined) return { code: 'invalid', path, message: 'is required' }
  const listed = typeof chosen === 'string' ? meantChoice(path, chosen) : undefined
  const suggestion =
    listed?.suggestion ?? (typeof chosen === 'string' ? didYouMean(chosen, choices) : undefined)
  const expected = `expected one of ${choices.join(', ')}`
  const message = listed?.advice === undefined ? expected : `${listed.advice}; ${expected}`
  return { code: 'invalid', path, message, suggestion }
}

const valueAt = (document: unknown, path: Path): unknown =>
  path.reduce<unknown>((node, part) => (node as Record<string | number, unknown> | null)?.[part], document)

/** Kinds of values, as who writes YAML calls them. */
const kinds: Readonly<Record<string, string>> = {
  object: 'settings (`key: value`)',
  record: 'settings (`key: value`)',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  null: 'nothing',
}

const bounds: Readonly<Record<string, string>> = {
  '<=': 'at most',
  '>=': 'at least',
  '<': 'less than',
  '>': 'more than',
}

const kindOf = (word: string): string => kinds[word] ?? word

/** zod's words in ours. */
const plain = (message: string): string =>
  message.endsWith('received undefined')
    ? 'is required'
    : message
        .replace(/^(Invalid input|Too small|Too big): /, '')
        .replace(
          /^expected (?:number|int) to be ([<>]=?)/,
          (_, bound: string) => `expected ${bounds[bound]} `,
        )
        .replace(
          /^expected (\w+), received (\w+)/,
          // `int` is said of numbers alone.
          (_, wanted: string, found: string) =>
            `expected ${kindOf(wanted)}${wanted === 'int' && found === 'number' ? '' : `, found ${kindOf(found)}`}`,
        )

interface SchemaNode {
  readonly properties?: Record<string, SchemaNode>
  readonly additionalProperties?: SchemaNode | boolean
  readonly items?: SchemaNode
}

// JSON Schema is the one form in which zod shows a schema's insides without its wrappers.
const wholeSchema = (): SchemaNode =>
  z.toJSONSchema(configSchema, { io: 'output', unrepresentable: 'any' }) as SchemaNode

const nodeAt = (path: Path): SchemaNode | undefined => {
  let node: SchemaNode | undefined = wholeSchema()
  for (const part of path) {
    const inner: SchemaNode | undefined = typeof part === 'number' ? node?.items : node?.properties?.[part]
    const others: SchemaNode | boolean | undefined = node?.additionalProperties
    node = inner ?? (typeof others === 'object' ? others : undefined)
  }
  return node
}

/** The keys that the schema knows at a path. */
const knownKeys = (path: Path): string[] => Object.keys(nodeAt(path)?.properties ?? {})

/** Where a key of this name stands that was written at the wrong place: below it, else at the one place where there is one. */
const elsewhere = (path: Path, key: string): string | undefined => {
  const placesIn = (node: SchemaNode | undefined, at: string): string[] => {
    const { properties = {}, additionalProperties: entry } = node ?? {}
    const below = Object.entries(properties).flatMap(([name, child]) => {
      const place = at === '' ? name : `${at}.${name}`
      return [...(name === key ? [place] : []), ...placesIn(child, place)]
    })
    return typeof entry === 'object'
      ? [...below, ...placesIn(entry, at === '' ? '<name>' : `${at}.<name>`)]
      : below
  }
  const [below, ...others] = placesIn(nodeAt(path), '')
  if (below !== undefined && others.length === 0) return below
  const [only, ...more] = placesIn(wholeSchema(), '')
  return more.length === 0 ? only : undefined
}
