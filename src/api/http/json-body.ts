import type { FastifyBodyParser, FastifyInstance, FastifyRequest } from 'fastify'
import { hasBody } from './body-stream.ts'

/** Runs long pieces of work one at a time, each in a turn of the event loop of its own, so that others get theirs between. */
interface Turns {
  take(work: () => void): void
}

const createTurns = (): Turns => {
  const queue: (() => void)[] = []

  const next = (): void => {
    const work = queue[0]!
    try {
      work()
    } finally {
      queue.shift()
      if (queue.length > 0) setImmediate(next)
    }
  }

  return {
    take: work => {
      queue.push(work)
      if (queue.length === 1) setImmediate(next)
    },
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Parses of this process that take long. */
    longParses: Turns
  }
  interface FastifyRequest {
    /** The JSON body as it came; only in scopes that keep it. */
    bodyText: string
  }
}

/**
 * A text of this length is parsed in a few ms; longer ones take turns, so that health probes are answered
 * between them.
 */
const longTextLength = 512 * 1024
/** Far more than a client sends that means to send nothing. */
const maxIgnoredBytes = 64 * 1024

/** Fastify's own parser, but one long text at a time. */
const jsonParser = (scope: FastifyInstance): FastifyBodyParser<string> => {
  const parse = scope.getDefaultJsonParser('error', 'error')
  return (request, text, done) => {
    if (text.length <= longTextLength) return parse(request, text, done)
    scope.longParses.take(() => parse(request, text, done))
  }
}

const readJsonBy = (scope: FastifyInstance, parse: FastifyBodyParser<string>): void => {
  scope.removeContentTypeParser('application/json')
  scope.addContentTypeParser<string>('application/json', { parseAs: 'string' }, parse)
}

/** JSON bodies, parsed: for all scopes that do not ask for another way to read them. */
export const installJsonBodies = (app: FastifyInstance): void => {
  app.decorate('longParses', createTurns())
  readJsonBy(app, jsonParser(app))
}

/**
 * Keeps the body's text beside the parsed body, to be sent on as it is: written anew, integers past 2^53
 * would come out as others.
 */
export const keepBodyText = (scope: FastifyInstance): void => {
  const parseJson = jsonParser(scope)
  scope.decorateRequest('bodyText', '')
  readJsonBy(scope, (request, text, done) => {
    // The parser accepts a byte order mark; providers do not.
    request.bodyText = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
    parseJson(request, text, done)
  })
}

/**
 * For actions whose JSON body is optional: clients that send none name `application/json` all the same, or no
 * type.
 */
export const acceptOptionalJson = (scope: FastifyInstance): void => {
  const parseJson = jsonParser(scope)
  readJsonBy(scope, (request, text, done) => {
    if (text === '') return done(null, undefined)
    parseJson(request, text, done)
  })
}

/**
 * Drops the bodies sent to actions that take none. Python clients name `application/json` and send nothing,
 * others name no type at all.
 */
export const ignoreBodies = (scope: FastifyInstance): void => {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: maxIgnoredBytes },
    (_request, _body, done) => done(null),
  )
}

/**
 * Drops a request's body as soon as it is not needed: a connection that waits for an answer must not hold it.
 */
export const releaseBody = (request: FastifyRequest): void => {
  request.body = undefined
  request.bodyText = ''
  request.holding?.release()
}

/** The types that curl and simple clients name for any body. */
const genericType = /^(?:application\/x-www-form-urlencoded|text\/plain)[ \t]*(?:;|$)/i

/**
 * Reads a body as JSON where its type says nothing of it: `curl -d '{…}'` calls it a form. A web page may
 * send such types to any site without asking, so such pages are refused first: `refuseCrossSiteForms`.
 */
export const assumeJsonBodies = (scope: FastifyInstance): void => {
  scope.addHook('onRequest', ({ raw }, _reply, done) => {
    const type = raw.headers['content-type']
    if (hasBody(raw) && (type === undefined || genericType.test(type))) {
      raw.headers['content-type'] = 'application/json'
    }
    done()
  })
}
