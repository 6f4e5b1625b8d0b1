import type { FastifyInstance } from 'fastify'
import { jsonParser } from './json-body.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The JSON body as it came; only on paths that keep it. */
    bodyText: string
  }
}

/**
 * Keeps the body's text beside the parsed body, to be sent on as it is: written anew, integers past 2^53 would come
 * out as others.
 */
export const keepBodyText = (scope: FastifyInstance): void => {
  const parseJson = jsonParser(scope)
  scope.decorateRequest('bodyText', '')
  scope.removeContentTypeParser('application/json')
  scope.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    // The parser forgives a byte order mark; providers do not.
    request.bodyText = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
    parseJson(request, text, done)
  })
}
