import { carriedWhole } from '../../domain/carriage.ts'
import { lostFromMessages } from './anthropic-messages-parameters.ts'
import { type MessagesRequest, messagesToCallOptions } from './anthropic-messages-request.ts'
import { messageFromResult } from './anthropic-messages-response.ts'
import type { CreateEdge } from './edge.ts'

/** Anthropic messages on this side. */
export const messagesEdge: CreateEdge = reach => ({
  carriage: body => ({ ...carriedWhole, excluded: lostFromMessages(body, reach) }),
  // The shape is the client's word; where it does not hold, the translation throws and the request is rejected.
  toCallOptions: body => messagesToCallOptions(body as unknown as MessagesRequest, reach),
  fromResult: messageFromResult,
})
