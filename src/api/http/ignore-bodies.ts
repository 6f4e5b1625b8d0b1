import type { FastifyInstance } from 'fastify'

const longestIgnoredBytes = 64 * 1024

/**
 * For actions that take no body: whatever comes is dropped. Python clients name `application/json` and send nothing,
 * others name no type at all.
 */
export const ignoreBodies = (scope: FastifyInstance): void => {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: longestIgnoredBytes },
    (_request, _body, done) => done(null),
  )
}
