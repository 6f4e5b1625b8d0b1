import { promisify } from 'node:util'
import { brotliCompress, gzip as compressGzip, constants } from 'node:zlib'
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import manifest from '../../../package.json' with { type: 'json' }
import { acceptedEncoding, type Encoding } from '../http/accept-encoding.ts'
import { errorsBeforeRouting } from './error-sets.ts'
import { tags } from './operation.ts'

const help = `JSON over HTTP. Times are Unix seconds unless they are text. Every answer carries \`x-request-id\`.
Every GET can be a HEAD. Before there is a route, a request can be refused with ${errorsBeforeRouting.join(', ')}.`

/** Adds `GET /openapi.json`: what this API is, for machines. */
export type AddDescriptionRoute = (scope: FastifyInstance) => void

/** Takes note of all routes from now on, so it must come before them. */
export const installDescription = (
  app: FastifyInstance,
  publicUrl: string | undefined,
): AddDescriptionRoute => {
  // Loaded and put together when someone asks: most processes are never asked, and start the sooner.
  let words: typeof import('./describe-route.ts') | null = null
  let copies: Promise<Readonly<Record<Encoding | 'plain', Buffer>>> | null = null

  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Baton',
        version: manifest.version,
        description: help,
        license: { name: 'MIT', identifier: 'MIT' },
      },
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
    transform: route => words!.describeRoute(route),
    transformObject: document => words!.completeDocument(document),
  })

  const describe = async (scope: FastifyInstance) => {
    words ??= await import('./describe-route.ts')
    return compressed(Buffer.from(JSON.stringify(scope.swagger())))
  }

  return scope => {
    scope.get('/openapi.json', async (request, reply) => {
      copies ??= describe(scope)
      const { plain, ...others } = await copies
      const encoding = acceptedEncoding(request.headers['accept-encoding'])
      if (encoding !== null) reply.header('content-encoding', encoding)
      return reply
        .header('vary', 'Accept-Encoding')
        .type('application/json; charset=utf-8')
        .send(encoding === null ? plain : others[encoding])
    })
  }
}

/** Beyond this, the last tenth costs a second of the process that answers everything else. */
const brotliQuality = 6

const compressed = async (plain: Buffer) => {
  const params = { [constants.BROTLI_PARAM_QUALITY]: brotliQuality }
  const [br, gzip] = await Promise.all([
    promisify(brotliCompress)(plain, { params }),
    promisify(compressGzip)(plain),
  ])
  return { plain, br, gzip }
}
