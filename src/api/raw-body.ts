import type { FastifyInstance } from 'fastify'

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
  const parseJson = scope.getDefaultJsonParser('error', 'error')
  scope.decorateRequest('bodyText', '')
  scope.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    // The parser forgives a byte order mark; providers do not.
    request.bodyText = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
    parseJson(request, text, done)
  })
}
