/**
 * The types of the API's client, made of the OpenAPI document. By hand: openapi-typescript and its like build on the
 * programming interface of TypeScript 5, which 7 does not have, and a second TypeScript puts its `tsc` over ours.
 */

/** As much of JSON Schema as the document has. */
interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema: Schema
  }[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly webhooks: Readonly<Record<string, { readonly post: Operation }>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const json = 'application/json'

const keyOf = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`)

const literal = (value: unknown): string =>
  typeof value === 'string' ? `'${value.replaceAll(/['\\]/g, '\\$&')}'` : JSON.stringify(value)

const unique = (types: readonly string[]): readonly string[] => [...new Set(types)]

/** A member's words, where it has any, and itself. */
const member = (name: string, schema: Schema, isRequired: boolean, indent: string): string => {
  const said = schema.description
    ? `${indent}/** ${schema.description.replaceAll(/\s*\n\s*/g, ' ')} */\n`
    : ''
  return `${said}${indent}readonly ${keyOf(name)}${isRequired ? '' : '?'}: ${typeOf(schema, indent)}`
}

const objectOf = (schema: Schema, indent: string): string => {
  const { properties = {}, required = [], additionalProperties: more } = schema
  const inner = `${indent}  `
  const members = Object.entries(properties).map(([name, each]) =>
    member(name, each, required.includes(name), inner),
  )
  const isOpen = typeof more === 'object'
  if (members.length === 0)
    return isOpen ? `Readonly<Record<string, ${typeOf(more, indent)}>>` : 'Readonly<Record<string, unknown>>'
  // An index beside members has to hold for these as well.
  const index = isOpen ? [`${inner}readonly [more: string]: unknown`] : []
  return `{\n${[...members, ...index].join('\n')}\n${indent}}`
}

const typeOf = (schema: Schema, indent = ''): string => {
  const { $ref, anyOf, type, items } = schema
  if ($ref !== undefined) return $ref.split('/').at(-1)!
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.enum) return schema.enum.map(literal).join(' | ')
  if (anyOf) return unique(anyOf.map(each => typeOf(each, indent))).join(' | ')
  if (Array.isArray(type))
    return unique(type.map(each => typeOf({ ...schema, type: each }, indent))).join(' | ')
  if (type === 'array') {
    const item = typeOf(items ?? {}, indent)
    return / \| /.test(item) && !item.startsWith('{') ? `readonly (${item})[]` : `readonly ${item}[]`
  }
  if (type === 'object') return objectOf(schema, indent)
  if (type === 'integer' || type === 'number') return 'number'
  if (type === 'string') return schema.format === 'binary' ? 'Blob' : 'string'
  return type === 'boolean' || type === 'null' ? type : 'unknown'
}

/** What goes by the query, what goes as JSON and what comes back as JSON when all is well. */
const operationOf = ({
  operationId,
  summary,
  parameters = [],
  requestBody,
  responses,
}: Operation): string => {
  const query = parameters.filter(({ in: place }) => place === 'query')
  const body = requestBody?.content[json]?.schema
  const answers = Object.entries(responses).flatMap(([status, { content }]) =>
    /^2/.test(status) && content?.[json] ? [typeOf(content[json].schema, '    ')] : [],
  )
  const parts = [
    ...(query.length > 0
      ? [
          `    readonly query: {\n${query.map(p => member(p.name, { description: p.description, ...p.schema } as Schema, p.required === true, '      ')).join('\n')}\n    }`,
        ]
      : []),
    ...(body ? [`    readonly body: ${typeOf(body, '    ')}`] : []),
    `    readonly answer: ${unique(answers).join(' | ') || 'null'}`,
  ]
  return `  /** ${summary}. */\n  readonly ${operationId}: {\n${parts.join('\n')}\n  }`
}

/** Every code that an error of the API may have, in whichever format it comes. */
const errorCodesIn = (schema: Schema, { components }: OpenApiDocument): readonly string[] => {
  const { anyOf, properties } = schema.$ref ? components.schemas[schema.$ref.split('/').at(-1)!]! : schema
  if (anyOf) return anyOf.flatMap(each => errorCodesIn(each, { components } as OpenApiDocument))
  const error = properties?.error?.properties
  const code = error?.code ?? error?.details?.properties?.error_code
  return (code?.enum ?? []) as string[]
}

/** The text of `src/client/api-types.ts`. */
export const clientTypes = (document: OpenApiDocument): string => {
  const operations = Object.values(document.paths).flatMap(path => Object.values(path))
  const codes = operations.flatMap(({ responses }) =>
    Object.entries(responses).flatMap(([status, { content }]) =>
      /^2/.test(status) || !content?.[json] ? [] : errorCodesIn(content[json].schema, document),
    ),
  )
  const events = Object.values(document.webhooks).map(({ post }) =>
    typeOf(post.requestBody!.content[json]!.schema),
  )
  const named = Object.entries(document.components.schemas).map(([name, schema]) => {
    const type = typeOf(schema)
    return type.startsWith('{') ? `export interface ${name} ${type}` : `export type ${name} = ${type}`
  })
  return `${[
    '// Made of the OpenAPI document by `npm run client-types`. A test compares the two.',
    ...named,
    `/** By the id of the operation. */\nexport interface Operations {\n${operations.map(operationOf).join('\n')}\n}`,
    `/** What is sent to webhooks, by its \`type\`. */\nexport type WebhookEvent =\n${events
      .map(type => `  | ${type}`)
      .join('\n')}`,
    `/** docs/errors.md says what each means. */\nexport type ApiErrorCode =\n${unique(codes)
      .toSorted()
      .map(code => `  | '${code}'`)
      .join('\n')}`,
  ].join('\n\n')}\n`
}
