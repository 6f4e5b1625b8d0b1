import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { messageBatchOperations } from '../batches/message-batch-openapi.ts'
import { batchOperations } from '../batches/openapi.ts'
import { fileOperations, uploadOperations } from '../files/openapi.ts'
import { dialectsOfPath } from '../http/error-answer.ts'
import { jobOperations } from '../jobs/openapi.ts'
import { operatorBatchOperations } from '../operator/batch-openapi.ts'
import { liveOperations } from '../operator/live-openapi.ts'
import { operatorOperations } from '../operator/openapi.ts'
import { usageOperations } from '../operator/usage-openapi.ts'
import { responseOperations } from '../responses/openapi.ts'
import { modelOperations, syncOperations } from '../sync/openapi.ts'
import { errorResponses, oneOf } from './error-responses.ts'
import type { DescribedResponse, Operation, Operations } from './operation.ts'
import { describeWebhooks } from './webhook-events.ts'

/** Every route of the API; a test compares them with those that the router knows. */
export const operations: Operations = {
  ...jobOperations,
  ...syncOperations,
  ...responseOperations,
  ...modelOperations,
  ...fileOperations,
  ...uploadOperations,
  ...batchOperations,
  ...messageBatchOperations,
  ...operatorOperations,
  ...liveOperations,
  ...operatorBatchOperations,
  ...usageOperations,
}

type Transform = NonNullable<FastifyDynamicSwaggerOptions['transform']>
type TransformObject = NonNullable<FastifyDynamicSwaggerOptions['transformObject']>
type CheckedSchema = Readonly<Partial<Record<'body' | 'querystring' | 'params', z.ZodType>>>

const options: Parameters<typeof createJsonSchemaTransform>[0] = {
  zodToJsonConfig: {
    // Unless an object is said to be strict: clients must not refuse a field that a later version adds.
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod
      if (def.type === 'object' && def.catchall === undefined) delete jsonSchema.additionalProperties
    },
  },
}

const toJsonSchema = createJsonSchemaTransform(options)
const addComponents = createJsonSchemaTransformObject(options)

/** Joins what the route's own schema checks with its description. */
export const describeRoute: Transform = ({ schema, url, route, ...document }) => {
  const method = [route.method].flat()[0]!
  const operation = operations[`${method} ${url}`]
  if (operation === undefined) throw new Error(`${method} ${url} is not described`)
  const described = {
    ...requestOf(operation, (schema ?? {}) as CheckedSchema),
    response: responsesOf(operation, method, url),
  }
  return toJsonSchema({ schema: described, url: operation.url ?? url, route, ...document })
}

const optionalBodies = new Set(
  Object.values(operations).flatMap(({ id, bodyIsOptional }) => (bodyIsOptional ? [id] : [])),
)

/** Adds the schemas that are referred to by name, and mends what no single route can state. */
export const completeDocument: TransformObject = given => {
  const document = addComponents(given)
  if (!('components' in document)) return document
  const { paths = {}, components = {} } = document
  for (const path of Object.values(paths)) {
    // Like its GET.
    delete path?.head
    const body = path?.post?.requestBody
    if (body && 'content' in body && optionalBodies.has(path.post!.operationId!)) body.required = false
  }
  // Every named schema has a twin for requests; no request has a named one.
  for (const name of Object.keys(components.schemas ?? {})) {
    if (name.endsWith('Input')) delete components.schemas![name]
  }
  return { ...document, webhooks: describeWebhooks() } as ReturnType<TransformObject>
}

const requestOf = (operation: Operation, checked: CheckedSchema): object => {
  const { id, summary, tag, params, query, headers, body, bodyType, isOpen, isRetired } = operation
  return {
    operationId: id,
    summary,
    ...(isRetired && { deprecated: true }),
    tags: [tag],
    params: params ?? checked.params,
    querystring: query ?? checked.querystring,
    headers,
    body: body ?? checked.body,
    ...(bodyType && { consumes: [bodyType] }),
    ...(isOpen && { security: [] }),
  }
}

const responsesOf = (operation: Operation, method: string, url: string): object => {
  const { responses, answersForJob } = operation
  const errors = errorResponses(operation, `${method} ${url}`, dialectsOfPath(url))
  const statuses = new Set([...Object.keys(responses), ...Object.keys(errors)])
  return Object.fromEntries(
    [...statuses].map(status => {
      // A provider's own answer may come under any status.
      const upstream = answersForJob && status !== '200' ? responses.default : undefined
      const possible = new Set([responses[status], errors[status], upstream].filter(a => a !== undefined))
      return [status, contentOf([...possible])]
    }),
  )
}

const contentOf = (answers: readonly DescribedResponse[]): object => {
  const all = answers.flatMap(answer => (answer.otherType ? [answer, answer.otherType] : [answer]))
  const description = all.map(({ description }) => description).join('\n\n')
  if (all.every(({ schema }) => schema instanceof z.ZodNull)) return z.null().meta({ description })
  const byType = Map.groupBy(all, ({ type }) => type ?? 'application/json')
  return {
    description,
    content: Object.fromEntries(
      [...byType].map(([type, these]) => [type, { schema: oneOf(these.map(({ schema }) => schema)) }]),
    ),
  }
}
