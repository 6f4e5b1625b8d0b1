import type { FastifyInstance } from 'fastify'
import { jsonParser } from './json-body.ts'

/** For actions that may take a JSON body: clients that send none name `application/json` all the same, or no type. */
export const acceptOptionalJson = (scope: FastifyInstance): void => {
  const parseJson = jsonParser(scope)
  scope.removeContentTypeParser('application/json')
  scope.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') return done(null, undefined)
    parseJson(request, text, done)
  })
}
