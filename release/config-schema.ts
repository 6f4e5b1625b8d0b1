import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { configSchema } from '../src/config/schema.ts'

const root = join(import.meta.dirname, '..')

/** As much of a JSON Schema (draft 7, which editors know best) as zod writes. */
type Schema = { [key: string]: unknown } & {
  type?: string
  properties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
  items?: Schema
  anyOf?: Schema[]
  description?: string
}

/** `${NAME}` or `${NAME:-default}`, in place of a value or within one. */
const variable: Schema = { type: 'string', pattern: '\\$\\{[A-Za-z_]\\w*(:-[^}]*)?\\}' }

/** What zod tells beyond the shape: a text that a program checks better, and defaults that the docs tell. */
const dropped = new Set(['format', 'default', '$schema'])

/** The schema of a value that may also be written as a variable, where its own shape would not take one. */
const orVariable = (schema: Schema): Schema => {
  const isScalar = ['string', 'integer', 'number', 'boolean'].includes(schema.type ?? '')
  const takesAnyText =
    schema.type === 'string' && !('pattern' in schema || 'enum' in schema || 'const' in schema)
  return !isScalar || takesAnyText || 'const' in schema ? schema : { anyOf: [schema, variable] }
}

/** What may be written shorter than what it becomes, which zod cannot tell: by its path in docs/config.md. */
const shorter: Readonly<Record<string, Schema>> = {
  'api_keys[]': { type: 'string', minLength: 1 },
  'providers.<name>.models.<name>.capabilities': { type: 'array', items: { type: 'string' } },
  'models.<name>.capabilities': { type: 'array', items: { type: 'string' } },
}

/** What docs/config.md tells by its headings. */
const parts: Readonly<Record<string, string>> = {
  server: 'Where the API listens, and what it takes',
  redis: 'Where Redis is, and how much it may hold',
  webhooks: 'How results are delivered',
  jobs: 'How long jobs live, and how they are made up for',
  storage: 'Where the bytes of files are kept: a directory, or S3 and what speaks like it',
  files: 'What may be uploaded',
  batches: 'How batches are fed, and how long they are kept',
}

/** Without the marks of Markdown. */
const plain = (cell: string): string =>
  cell
    .replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replaceAll('`', '')
    .replaceAll('\\|', '|')

/** By key, what it means and its default, as docs/config.md tells them. */
const meanings = (): ReadonlyMap<string, string> => {
  const text = readFileSync(join(root, 'docs/config.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `([^`]+)` \| (.*?) \| (.*) \|$/gm)].map(
    ([, key, fallback, meaning]) => {
      const told = fallback === '–' || fallback === 'required' ? '' : ` (default: ${plain(fallback!)})`
      return [key!, `${plain(meaning!)}${told}`] as const
    },
  )
  return new Map([...Object.entries(parts), ...rows])
}

/** What may come from a mounted file, which zod is told after it was read. */
const withoutKey = (schema: Schema): Schema => {
  const required = (schema.required as string[] | undefined)?.filter(name => name !== 'key')
  const { required: _, ...rest } = schema
  return required?.length ? { ...rest, required } : rest
}

const rebuild = (schema: Schema, path: string, told: ReadonlyMap<string, string>): Schema => {
  const inner = (child: Schema, at: string): Schema => rebuild(child, at, told)
  const kept = Object.fromEntries(Object.entries(schema).filter(([key]) => !dropped.has(key))) as Schema
  if (kept.properties)
    kept.properties = Object.fromEntries(
      Object.entries(kept.properties).map(([name, child]) => [
        name,
        inner(child, path === '' ? name : `${path}.${name}`),
      ]),
    )
  if (typeof kept.additionalProperties === 'object')
    kept.additionalProperties = inner(kept.additionalProperties, `${path}.<name>`)
  if (kept.items) kept.items = inner(kept.items, `${path}[]`)
  if (kept.anyOf) kept.anyOf = kept.anyOf.map(child => inner(child, path))
  const short = shorter[path]
  const whole = short ? { anyOf: [path === 'api_keys[]' ? withoutKey(kept) : kept, short] } : orVariable(kept)
  const description = told.get(path)
  return description === undefined ? whole : { description, ...whole }
}

/** The config as a JSON Schema for editors: the shape is the one that a start checks, the words are those of the docs. */
export const configJsonSchema = (): object => {
  const shape = z.toJSONSchema(configSchema, {
    io: 'input',
    unrepresentable: 'any',
    target: 'draft-7',
  }) as Schema
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Config of Baton (baton.yaml)',
    ...rebuild(shape, '', meanings()),
  }
}

export const configJsonSchemaText = (): string => `${JSON.stringify(configJsonSchema(), null, 2)}\n`
