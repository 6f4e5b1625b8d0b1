import { lostFromMessages, steeredInMessages } from './anthropic-messages-parameters.ts'
import { type MessagesRequest, messagesToCallOptions } from './anthropic-messages-request.ts'
import { messageFromResult } from './anthropic-messages-response.ts'
import type { CreateEdge } from './edge.ts'

/** Anthropic messages on this side. */
export const messagesEdge: CreateEdge = reach => ({
  lost: body => lostFromMessages(body, reach),
  steered: body => steeredInMessages(body, reach),
  // The shape is the client's word; where it does not hold, the translation throws and the request is rejected.
  toCallOptions: (body, limit) => messagesToCallOptions(body as unknown as MessagesRequest, reach, limit),
  fromResult: messageFromResult,
})
