import type { FastifyBodyParser, FastifyInstance, FastifyRequest } from 'fastify'
import { createTurns, type Turns } from '../../lifecycle/turns.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Parses of this process that take long. */
    longParses: Turns
  }
}

/** Parsed in a few ms: what is longer must not keep others, such as probes of health, waiting behind several like it. */
const longTextLength = 512 * 1024

type ParseText = FastifyBodyParser<string>

/** What Fastify's own parser does, but for long texts one after the other. */
export const jsonParser = (scope: FastifyInstance): ParseText => {
  const parse = scope.getDefaultJsonParser('error', 'error')
  return (request: FastifyRequest, text, done) => {
    if (text.length <= longTextLength) return parse(request, text, done)
    scope.longParses.take(() => parse(request, text, done))
  }
}

export const installJsonBodies = (app: FastifyInstance): void => {
  app.decorate('longParses', createTurns())
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, jsonParser(app))
}

/** What a request brought is not needed any more: whoever waits for an answer must not hold it meanwhile. */
export const releaseBody = (request: FastifyRequest): void => {
  request.body = undefined
  request.bodyText = ''
  request.holding?.release()
}
