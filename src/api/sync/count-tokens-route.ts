import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { Interrupt } from '../../domain/interrupt.ts'
import { sayLastError } from '../../domain/job-failure.ts'
import type { Capacity } from '../http/capacity.ts'
import { sendError } from '../http/error-answer.ts'
import { forwardedHeadersOf } from '../http/forwarded-headers.ts'
import { keepBodyText, releaseBody } from '../http/json-body.ts'
import { completion, refuseCompletionFaults } from '../jobs/request-schemas.ts'
import type { ApiParts } from '../parts.ts'

const endpoint = '/v1/messages'

/** `POST /v1/messages/count_tokens`: asked of the provider at once, while the connection waits. */
export const addCountTokensRoute = (
  scope: FastifyInstance,
  parts: Pick<ApiParts, 'config' | 'countTokens'>,
  { capacity }: { readonly capacity: Capacity },
): void => {
  keepBodyText(scope)
  scope
    .withTypeProvider<ZodTypeProvider>()
    .post('/v1/messages/count_tokens', { schema: { body: completion } }, async (request, reply) => {
      const { body, bodyText } = request
      refuseCompletionFaults(endpoint, body)
      const headers = forwardedHeadersOf(parts, request, endpoint)
      const leave = capacity.enter('answer', request.tenant)
      reply.raw.once('close', leave)
      const counted = await parts.countTokens(
        { model: body.model as string, body: bodyText, headers },
        untilGone(reply),
      )
      releaseBody(request)
      reply.header('x-baton-provider', counted.provider)
      if (counted.kind === 'uncounted') {
        const said = counted.last === null ? 'No key of it is in use.' : sayLastError(counted.last)
        return sendError(request, reply, {
          ...{
            status: 503,
            code: 'targets_unavailable',
            param: null,
            message: `The tokens cannot be counted now. ${said}`,
          },
          lastError: counted.last ?? undefined,
        })
      }
      if (counted.retryAfterMs !== null) {
        reply.header('retry-after', Math.max(1, Math.ceil(counted.retryAfterMs / 1_000)))
      }
      return reply.code(counted.statusCode).type('application/json; charset=utf-8').send(counted.body)
    })
}

const untilGone = ({ raw }: FastifyReply): Interrupt => {
  const gone = new Interrupt()
  raw.once('close', () => gone.abort('disconnected'))
  if (raw.destroyed) gone.abort('disconnected')
  return gone
}
