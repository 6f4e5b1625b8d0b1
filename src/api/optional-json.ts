import type { FastifyInstance } from 'fastify'

/** For actions that may take a JSON body: clients that send none name `application/json` all the same, or no type. */
export const acceptOptionalJson = (scope: FastifyInstance): void => {
  const parseJson = scope.getDefaultJsonParser('error', 'error')
  scope.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') return done(null, undefined)
    parseJson(request, text, done)
  })
}
