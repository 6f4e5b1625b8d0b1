import { chunksOf } from './chunks.ts'
import { createReceiver, mostBodyBytes, tooLarge, type WebhookOptions } from './receive-event.ts'
import { WebhookError } from './verify-webhook.ts'

export type { HandledEvents, WebhookOptions } from './receive-event.ts'
export {
  type Secrets,
  verifyWebhook,
  WebhookError,
  type WebhookErrorCode,
  type WebhookEvent,
  type WebhookHeaders,
} from './verify-webhook.ts'

type HeaderFields = Readonly<Record<string, string | readonly string[] | undefined>>

/** As much of a request of Express, or of `node:http`, as is needed. */
export interface NodeRequest extends AsyncIterable<unknown> {
  readonly headers: HeaderFields
  /** What a parser has left: bytes by `express.raw()`, or by functions of a cloud. */
  readonly body?: unknown
  readonly rawBody?: unknown
  readonly readableEnded?: boolean
}

export interface NodeResponse {
  statusCode: number
  end(text?: string): unknown
}

/** As much of Fastify as is needed. */
export interface FastifyScope {
  addContentTypeParser(
    type: string,
    options: { parseAs: 'buffer'; bodyLimit: number },
    parse: (request: unknown, body: Uint8Array, done: (error: null, body: unknown) => void) => void,
  ): unknown
  removeAllContentTypeParsers(): unknown
  post(
    path: string,
    handler: (
      request: { readonly headers: HeaderFields; readonly body: unknown },
      reply: { code(status: number): { send(text?: string): unknown } },
    ) => Promise<unknown>,
  ): unknown
}

export interface WebhookHandler {
  /** For what takes a `Request` and gives a `Response`: Hono, Next.js, Bun, Deno, workers. */
  fetch(request: Request): Promise<Response>
  /** `app.post('/hooks', handler.express)`, also for `node:http`; before `express.json()`, or behind `express.raw()`. */
  express(request: NodeRequest, response: NodeResponse): Promise<void>
  /** `app.register(handler.fastify, {path: '/hooks'})`: a scope of its own, which leaves the app's parsers alone. */
  fastify(app: FastifyScope, options: { readonly path: string }): Promise<void>
}

const isBytes = (value: unknown): value is string | Uint8Array =>
  typeof value === 'string' || value instanceof Uint8Array

/**
 * All bytes of a body. One that is too large is read to its end, and not kept: who leaves a request of Node's early closes its
 * connection, and the sender would never hear why.
 */
const collect = async (chunks: AsyncIterable<unknown>): Promise<Uint8Array> => {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    const piece = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : (chunk as Uint8Array)
    bytes += piece.length
    if (bytes <= mostBodyBytes) pieces.push(piece)
  }
  if (bytes > mostBodyBytes) throw tooLarge()
  const all = new Uint8Array(bytes)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

const consumed = (): WebhookError =>
  new WebhookError(
    'body_consumed',
    'The body was parsed before its signature could be checked: mount the handler before express.json().',
  )

/** The bytes of a request, wherever they are by now. */
const bodyOf = async (request: NodeRequest): Promise<string | Uint8Array> => {
  for (const left of [request.rawBody, request.body]) if (isBytes(left)) return left
  if (request.readableEnded) throw consumed()
  return collect(request)
}

/** Receives webhooks in whichever server. Throws TypeError for a secret that is none. */
export const createWebhookHandler = (options: WebhookOptions): WebhookHandler => {
  const receive = createReceiver(options)
  return {
    fetch: async request => {
      const body = async () => {
        if (request.bodyUsed) throw consumed()
        return request.body ? collect(chunksOf(request.body)) : ''
      }
      const { status, text } = await receive({ headers: request.headers, body })
      return new Response(status === 204 ? null : text, { status })
    },
    express: async (request, response) => {
      const { status, text } = await receive({ headers: request.headers, body: () => bodyOf(request) })
      response.statusCode = status
      response.end(text)
    },
    fastify: async (app, { path }) => {
      app.removeAllContentTypeParsers()
      app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: mostBodyBytes }, (_request, body, done) =>
        done(null, body),
      )
      app.post(path, async ({ headers, body }, reply) => {
        const { status, text } = await receive({ headers, body: async () => (isBytes(body) ? body : '') })
        return reply.code(status).send(text)
      })
    },
  }
}
