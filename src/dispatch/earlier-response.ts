import type { Endpoint } from '../domain/endpoint.ts'
import { BatonError } from '../domain/errors.ts'
import type { Home } from '../domain/routing/kept-state.ts'
import type { JobStore } from '../jobs/types.ts'
import { answererOf } from '../jobs/view.ts'
import { replacing, withEdits } from '../json/edits.ts'
import { isJsonObject } from '../json/json-object.ts'
import { membersOf } from '../json/members.ts'
import { isResponseId, jobOfResponse } from '../redis/keys.ts'
import type { Providers } from './routes.ts'

const field = 'previous_response_id'

/** A request's body as JSON text, and the same parsed. */
interface Asked {
  readonly body: string
  readonly parsedBody: unknown
}

/** A request that goes on from a response in the background, as the provider that gave it knows that. */
export interface Continued {
  readonly asked: Asked
  /** The id by which the client knows it. */
  readonly givenId: string
  readonly at: Pick<Home, 'provider' | 'key'>
}

/**
 * Exchanges the id under which a client knows a response in the background for the one that its provider gave it. Null for
 * requests that name none. Throws BatonError `previous_response_not_found`, and `unsupported_parameter` where it was given by a provider
 * that keeps none.
 */
export type ContinueResponse = (
  request: Asked & { readonly tenant: string; readonly endpoint: Endpoint },
) => Promise<Continued | null>

const notFound = (message: string): BatonError =>
  new BatonError('previous_response_not_found', message, { param: field })

const idIn = (answer: string): string | null => {
  const json: unknown = JSON.parse(answer)
  return isJsonObject(json) && typeof json.id === 'string' ? json.id : null
}

const withPrevious = ({ body, parsedBody }: Asked, id: string): Asked => {
  const named = [...membersOf(body)].filter(({ name }) => name === field)
  return {
    body: withEdits(
      body,
      named.map(member => replacing(member, id)),
    ),
    parsedBody: { ...(parsedBody as object), [field]: id },
  }
}

export const createContinueResponse =
  ({
    store,
    providers,
  }: {
    readonly store: Pick<JobStore, 'read'>
    readonly providers: Providers
  }): ContinueResponse =>
  async request => {
    const { endpoint, parsedBody, tenant } = request
    const previous = endpoint === '/v1/responses' && isJsonObject(parsedBody) ? parsedBody[field] : null
    if (typeof previous !== 'string' || !isResponseId(previous)) return null
    const record = await store.read(jobOfResponse(previous))
    if (!record?.background || record.tenant !== tenant)
      throw notFound(`Previous response with id '${previous}' not found.`)
    if (record.status !== 'succeeded' || record.response === null)
      throw notFound(`Previous response with id '${previous}' is not completed.`)
    const { provider } = answererOf(record)
    const id = idIn(record.response.body)
    if (id === null || providers.get(provider)?.serves(endpoint) !== 'native') {
      throw new BatonError(
        'unsupported_parameter',
        `The previous response was given by '${provider}', which keeps none. Send its input and output again as \`input\`.`,
        { param: field },
      )
    }
    return { asked: withPrevious(request, id), givenId: previous, at: { provider, key: null } }
  }
