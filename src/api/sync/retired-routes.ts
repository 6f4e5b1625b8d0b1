import { BatonError } from '../../domain/errors.ts'
import type { ApiScope } from '../http/api-scope.ts'
import { ignoreBodies } from '../http/ignore-bodies.ts'

/** Paths of the vendors that old clients still ask for. */
export const addRetiredRoutes = (scope: ApiScope): void => {
  scope.register(async inner => {
    ignoreBodies(inner)
    inner.post('/v1/complete', {
      // Whatever the body is, it is not read.
      onRequest: (_request, _reply, done) => done(completeRetired()),
      handler: () => undefined,
    })
  })
}

const completeRetired = (): BatonError =>
  new BatonError(
    'endpoint_retired',
    'Anthropic has retired the Text Completions API. Send the prompt to POST /v1/messages: {"model": …, "max_tokens": …, "messages": [{"role": "user", "content": …}]}.',
  )
