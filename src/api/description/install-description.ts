import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import manifest from '../../../package.json' with { type: 'json' }
import { operations } from './all-operations.ts'
import { addComponents, describeRoute } from './describe-route.ts'
import { beforeAnyRoute } from './error-codes-of.ts'
import { tags } from './operation.ts'

const help = `JSON over HTTP. Times are Unix seconds unless they are text. Every answer carries \`x-request-id\`.
Every GET can be a HEAD. Before there is a route, a request can be refused with ${beforeAnyRoute.join(', ')}.`

/** Takes note of all routes from now on, so it must come before them. Nothing is put together until someone asks. */
export const installDescription = (app: FastifyInstance, publicUrl: string | undefined): void => {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Baton', version: manifest.version, description: help, license: { name: 'MIT' } },
      servers: [{ url: publicUrl ?? '/' }],
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
      security: [{ bearer: [] }, { key: [] }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          key: { type: 'apiKey', in: 'header', name: 'x-api-key' },
        },
      },
    },
    // A path of our own may begin as the public URL's does.
    stripBasePath: false,
    convertConstToEnum: false,
    transform: describeRoute,
    transformObject: document => tidy(addComponents(document)),
  })
}

type Document = ReturnType<typeof addComponents>

const optionalBodies = new Set(
  Object.values(operations).flatMap(({ id, bodyIsOptional }) => (bodyIsOptional ? [id] : [])),
)

const tidy = (document: Document): Document => {
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
  return document
}

/** `GET /openapi.json`: what this API is, for machines. Put together when it is first asked for. */
export const addDescriptionRoute = (scope: FastifyInstance): void => {
  let text: string | null = null
  scope.get('/openapi.json', async (_request, reply) => {
    text ??= JSON.stringify(scope.swagger())
    return reply.type('application/json; charset=utf-8').send(text)
  })
}
