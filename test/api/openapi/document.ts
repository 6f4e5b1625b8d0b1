/** As much of an OpenAPI 3.1 document as the tests look at. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly propertyNames?: Schema
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly default?: unknown
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly schema: Schema
}

export type Content = Readonly<Record<string, { readonly schema: Schema }>>

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly deprecated?: boolean
  readonly tags: readonly string[]
  readonly security?: readonly object[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
}

export interface Document {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string }[]
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly webhooks: Readonly<Record<string, { readonly post: Operation }>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly securitySchemes: Readonly<Record<string, { readonly type: string }>>
  }
}

export interface DescribedRoute {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

export const routesOf = ({ paths }: Document): DescribedRoute[] =>
  Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  )

/** The schema itself, where it is only named. */
export const resolved = ({ components }: Document, schema: Schema): Schema =>
  schema.$ref === undefined ? schema : components.schemas[schema.$ref.split('/').at(-1)!]!

/** Every error code that an operation may answer, by status. */
export const codesOf = (document: Document, { responses }: Operation): ReadonlyMap<number, Set<string>> => {
  const codes = (schema: Schema): string[] => {
    const { anyOf, properties } = resolved(document, schema)
    if (anyOf) return anyOf.flatMap(codes)
    const error = properties?.error?.properties
    const code = error?.code ?? error?.details?.properties?.error_code
    return (code?.enum ?? []) as string[]
  }
  return new Map(
    Object.entries(responses).map(([status, { content = {} }]) => [
      Number(status),
      new Set(Object.values(content).flatMap(({ schema }) => codes(schema))),
    ]),
  )
}
