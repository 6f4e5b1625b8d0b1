import { jsonReply, type Reply } from './deliver.ts'
import type { ErrorContext } from './error-reply.ts'
import { badRequestReply, requestIdHeader } from './error-reply.ts'
import { listAt, readRequest } from './read-request.ts'

/** https://docs.anthropic.com/en/api/messages-count-tokens */
export const countPath = '/v1/messages/count_tokens'

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The tokens of a messages request, as they are counted when it is answered. A count is no call: no limit knows of it. */
export function countReply(text: string): Reply {
  const body = parsed(text)
  const request = body === undefined ? null : readRequest('/v1/messages', text, body)
  const context: ErrorContext = { dialect: 'anthropic', requestId: 'req_sim0', model: request?.model ?? '' }
  if (body === undefined) return badRequestReply(context, 'The body of the request is not valid JSON.')
  if (request === null) return badRequestReply(context, 'model: Field required')
  if (listAt(body, 'messages').length === 0)
    return badRequestReply(context, 'messages: at least one message is required')
  const { inputTokens } = request
  return jsonReply(200, { [requestIdHeader.anthropic]: context.requestId }, { input_tokens: inputTokens })
}
