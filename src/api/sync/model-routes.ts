import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import { dialectOfRequest } from '../http/error-answer.ts'
import type { ApiParts, ApiScope } from '../parts.ts'

type ModelView = (id: string, provider: string) => object

/** Both APIs want a date of release; routes have none, and Anthropic's names the epoch for "unknown". */
const openaiModel: ModelView = (id, provider) => ({ id, object: 'model', created: 0, owned_by: provider })
const anthropicModel: ModelView = id => ({
  type: 'model',
  id,
  display_name: id,
  created_at: '1970-01-01T00:00:00Z',
})

/** `GET /v1/models` and `GET /v1/models/:id`: the routes, in the shape of the client's API. */
export const addModelRoutes = (scope: ApiScope, { routes }: Pick<ApiParts, 'routes'>): void => {
  const ids = [...routes.keys()]
  const ownerOf = (id: string): string => routes.get(id)?.targets[0]?.provider ?? 'baton'
  const all = (view: ModelView): object[] => ids.map(id => view(id, ownerOf(id)))
  const openaiList = { object: 'list', data: all(openaiModel) }
  const anthropicList = {
    data: all(anthropicModel),
    has_more: false,
    first_id: ids[0] ?? null,
    last_id: ids.at(-1) ?? null,
  }

  scope.get('/v1/models', async request => (isAnthropic(request) ? anthropicList : openaiList))

  // A wildcard, because names such as meta-llama/llama-3 come with a slash.
  scope.get<{ Params: { '*': string } }>('/v1/models/*', async request => {
    const id = request.params['*']
    if (!routes.has(id)) {
      throw new BatonError('unknown_model', 'There is no such model; GET /v1/models lists them.', {
        param: 'model',
      })
    }
    return (isAnthropic(request) ? anthropicModel : openaiModel)(id, ownerOf(id))
  })
}

const isAnthropic = (request: FastifyRequest): boolean => dialectOfRequest(request) === 'anthropic'
