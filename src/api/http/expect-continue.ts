import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** Requests whose clients wait for a word before they send the body, with what says it. */
const asking = new WeakMap<IncomingMessage, ServerResponse>()

/**
 * `Expect: 100-continue`: Node would have the body sent at once, and a refusal that is certain from the headers alone (no
 * key, too large, a wrong type) would come in the middle of it. The word is given when somebody begins to read.
 */
export const installContinue = (app: FastifyInstance): void => {
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    asking.set(request, response)
    app.server.emit('request', request, response)
  })
}

/** Before a body is read. */
export const askForBody = (raw: IncomingMessage): void => {
  const response = asking.get(raw)
  if (response === undefined) return
  asking.delete(raw)
  if (!response.headersSent) response.writeContinue()
}
