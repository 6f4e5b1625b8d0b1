import type { FastifyRequest } from 'fastify'
import { BatonError } from '../../domain/errors.ts'
import { hasModel } from '../../domain/routing/listed-models.ts'
import { isWildcard, nameFor } from '../../domain/routing/wildcards.ts'
import { dialectOfRequest } from '../http/error-answer.ts'
import type { ApiParts, ApiScope } from '../parts.ts'

type ModelView = (model: Model) => object

interface Model {
  readonly id: string
  readonly provider: string
}

/** Both APIs want a date of release; routes have none, and Anthropic's names the epoch for "unknown". */
const openaiModel: ModelView = ({ id, provider }) => ({ id, object: 'model', created: 0, owned_by: provider })
const anthropicModel: ModelView = ({ id }) => ({
  type: 'model',
  id,
  display_name: id,
  created_at: '1970-01-01T00:00:00Z',
})

/** `GET /v1/models` and `GET /v1/models/:id`: what clients may ask for, in the shape of their API. */
export const addModelRoutes = (
  scope: ApiScope,
  { config, routes, modelLists }: Pick<ApiParts, 'config' | 'routes' | 'modelLists'>,
): void => {
  const patterns = [...routes.keys()].filter(isWildcard)
  const named = [...routes.keys(), ...Object.keys(config.aliases)].filter(name => !isWildcard(name))
  const modelOf = (id: string): Model | null => {
    const target = routes.get(id)?.targets[0]
    return target === undefined ? null : { id, provider: target.provider }
  }

  /** What a wildcard leads to, as far as its provider tells: names that another route takes are left to that. */
  const behind = async (pattern: string): Promise<readonly string[]> => {
    const { provider, upstream_model: upstream = '*' } = config.models[pattern]!
    const names = (await modelLists(provider)) ?? []
    return names.flatMap(name => nameFor(pattern, upstream, name) ?? [])
  }

  const all = async (): Promise<readonly Model[]> => {
    const ids = new Set([...named, ...(await Promise.all(patterns.map(behind))).flat()])
    return [...ids].flatMap(id => modelOf(id) ?? [])
  }

  scope.get('/v1/models', async request => {
    const models = await all()
    if (!isAnthropic(request)) return { object: 'list', data: models.map(openaiModel) }
    return {
      data: models.map(anthropicModel),
      has_more: false,
      first_id: models[0]?.id ?? null,
      last_id: models.at(-1)?.id ?? null,
    }
  })

  /** Where nobody can say whether there is such a model, a call shows it. */
  const isListed = async (id: string): Promise<boolean> => {
    const target = routes.get(id)?.targets[0]
    if (target?.measuredAs === undefined) return target !== undefined
    const names = await modelLists(target.provider)
    return names === null || hasModel(names, target.model)
  }

  // A wildcard, because names such as meta-llama/llama-3 come with a slash.
  scope.get<{ Params: { '*': string } }>('/v1/models/*', async request => {
    const model = modelOf(request.params['*'])
    if (model === null || !(await isListed(model.id))) {
      throw new BatonError('unknown_model', 'There is no such model; GET /v1/models lists them.', {
        param: 'model',
      })
    }
    return (isAnthropic(request) ? anthropicModel : openaiModel)(model)
  })
}

const isAnthropic = (request: FastifyRequest): boolean => dialectOfRequest(request) === 'anthropic'
