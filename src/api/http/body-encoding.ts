import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { bodyStream } from './body-stream.ts'
import { installContinue } from './expect-continue.ts'
import { hasBody } from './incoming-request.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The handler takes the body from the connection, by `bodyStream`. */
    readsBody: boolean
  }
}

/** For scopes whose handlers read bodies that are too long to be held. */
export const leaveBodiesUnparsed = (scope: FastifyInstance): void => {
  scope.addHook('onRequest', (request, _reply, done) => {
    request.readsBody = true
    done()
  })
}

/** Gives the parsers of this server bodies without their encodings, and asks for bodies that clients hold back. */
export const installBodyEncoding = (app: FastifyInstance): void => {
  app.decorateRequest('readsBody', false)
  installContinue(app)
  app.addHook('preParsing', (request, reply, payload, done) => {
    const { raw } = request
    const isPlain = raw.headers['content-encoding'] === undefined && raw.headers.expect === undefined
    // Nobody reads the body of a GET.
    if (isPlain || request.readsBody || !hasBody(raw) || isGet(raw)) return done(null, payload)
    if (isRefused(request)) return done(null, payload)
    const body = bodyStream(raw)
    if (body !== raw) reply.raw.once('close', () => body.destroy())
    done(null, body)
  })
}

const isGet = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD'

/** By Fastify, before anything of the body has come. */
const isRefused = ({ headers, mediaType, routeOptions, server }: FastifyRequest): boolean =>
  Number(headers['content-length']) > routeOptions.bodyLimit! ||
  !(server.hasContentTypeParser(mediaType ?? '') || server.hasContentTypeParser(''))
