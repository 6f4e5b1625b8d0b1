import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { BatonError } from '../../domain/errors.ts'
import { isTerminal } from '../../domain/job.ts'
import type { JobRecord } from '../../jobs/record.ts'
import { isResponseId, jobOfResponse } from '../../redis/keys.ts'
import { headReader } from '../http/find-owned.ts'
import { ignoreBodies } from '../http/json-body.ts'
import { answerReader } from '../jobs/answer-reader.ts'
import type { ApiParts } from '../parts.ts'
import { inputItemsOf, pageOf } from './input-items.ts'
import { lastOfBeginning } from './own-events.ts'
import { type ResponseHeld, requestOf, streamResponse } from './response-streams.ts'
import { responseView } from './response-view.ts'

type ResponseParams = { Params: { id: string } }

/** Other parameters, such as `include`, ask for what a request does not hold. */
export const inputItemsQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  order: z.enum(['asc', 'desc']).default('desc'),
  after: z.string().max(200).optional(),
})

/** `include`, for one, asks for what an answer has or has not. */
const responseQuery = z.object({
  stream: z.enum(['true', 'false']).default('false'),
  starting_after: z.coerce.number().int().min(-1).default(-1),
})

/**
 * `/v1/responses/:id` and what is below it: responses in the background, as OpenAI's clients read, cancel and delete
 * them.
 */
export const addResponseRoutes = (
  scope: FastifyInstance,
  parts: Pick<ApiParts, 'now' | 'store' | 'streamLogs'>,
  held: ResponseHeld,
): void => {
  const { store } = parts
  const { capacity } = held
  const readHead = headReader(store)
  ignoreBodies(scope)

  const view = async (request: FastifyRequest<ResponseParams>, reply: FastifyReply): Promise<object> => {
    const record = await findResponse(request, answerReader({ capacity, store }, request, reply))
    return responseView(record, record.status === 'succeeded' ? null : await requestOf(store, record))
  }

  scope
    .withTypeProvider<ZodTypeProvider>()
    .get(
      '/v1/responses/:id',
      { schema: { params: z.object({ id: z.string() }), querystring: responseQuery } },
      async (request, reply) => {
        const { stream, starting_after: after } = request.query
        if (stream !== 'true') return view(request, reply)
        const head = await findResponse(request, readHead)
        const asked = after < lastOfBeginning ? await requestOf(store, head) : null
        return streamResponse(parts, held, request, reply, head, asked, after)
      },
    )

  scope.post<ResponseParams>('/v1/responses/:id/cancel', async (request, reply) => {
    const { id } = await findResponse(request, readHead)
    await store.cancel(id)
    return view(request, reply)
  })

  scope.delete<ResponseParams>('/v1/responses/:id', async request => {
    const { id, status } = await findResponse(request, readHead)
    if (!isTerminal(status)) await store.cancel(id)
    if (!(await store.remove(id))) throw responseNotFound(request.params.id)
    return { id: request.params.id, object: 'response', deleted: true }
  })

  scope
    .withTypeProvider<ZodTypeProvider>()
    .get(
      '/v1/responses/:id/input_items',
      { schema: { params: z.object({ id: z.string() }), querystring: inputItemsQuery } },
      async request => {
        const record = await findResponse(request, readHead)
        return pageOf(inputItemsOf(request.params.id, await requestOf(store, record)), request.query)
      },
    )
}

/**
 * The tenant's response in the background. Throws `response_not_found`, also for another job, and for the id that a
 * provider gave to an answer: that is kept by the provider, at whichever account it was asked with.
 */
const findResponse = async (
  request: FastifyRequest<ResponseParams>,
  read: (id: string) => Promise<JobRecord | null>,
): Promise<JobRecord> => {
  const { id } = request.params
  const record = isResponseId(id) ? await read(jobOfResponse(id)) : null
  if (record === null || record.tenant !== request.tenant || !record.background) throw responseNotFound(id)
  request.jobId = record.id
  return record
}

/** In OpenAI's words, and the reason that it has not. */
const responseNotFound = (id: string): BatonError =>
  new BatonError(
    'response_not_found',
    `Response with id '${id}' not found. Only responses in the background (\`background: true\`) can be read here.`,
    { param: 'id' },
  )
