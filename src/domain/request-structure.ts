import type { Endpoint } from './endpoint.ts'
import { BatonError } from './errors.ts'

type Body = Readonly<Record<string, unknown>>
type Check = (body: Body) => BatonError | null

const missing = (param: string, is: string): BatonError =>
  new BatonError('invalid_request', `'${param}' ${is}.`, { param })

const isAbsent = (value: unknown): boolean => value === undefined || value === null

const checkMessages: Check = ({ messages }) => {
  if (isAbsent(messages)) return missing('messages', 'is missing')
  if (!Array.isArray(messages)) return missing('messages', 'must be an array')
  return messages.length === 0 ? missing('messages', 'must have at least one message') : null
}

/** Servers of multimodal models take `messages` here, too. */
const checkInput: Check = ({ input, messages }) =>
  isAbsent(input) && isAbsent(messages) ? missing('input', 'is missing') : null

/** What a provider would answer is an id to ask again with. At `/v1/responses` it does not reach this check. */
const checkBackground: Check = ({ background }) =>
  background === true
    ? new BatonError(
        'background_unsupported',
        'A job is in the background already: leave `background` out, and read the job; or send the request to POST /v1/responses.',
        { param: 'background' },
      )
    : null

const checks: Readonly<Partial<Record<Endpoint, Check>>> = {
  '/v1/chat/completions': checkMessages,
  '/v1/messages': checkMessages,
  '/v1/embeddings': checkInput,
  '/v1/responses': checkBackground,
}

/**
 * What is wrong with the structure of a request for sure, whichever provider is asked; all else is the provider's to judge. Calls
 * would be spent on it, and translations would fail on it in words of their own.
 */
export const faultOfStructure = (endpoint: Endpoint, body: Body): BatonError | null =>
  checks[endpoint]?.(body) ?? null
