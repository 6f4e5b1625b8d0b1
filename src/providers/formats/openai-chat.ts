import type { CreateEdge } from './edge.ts'
import { lostFromChat, steeredInChat } from './openai-chat-parameters.ts'
import { type ChatRequest, chatToCallOptions } from './openai-chat-request.ts'
import { chatFromResult } from './openai-chat-response.ts'

/** OpenAI chat completions on this side. */
export const chatEdge: CreateEdge = reach => ({
  lost: body => lostFromChat(body, reach),
  steered: body => steeredInChat(body, reach),
  // The shape is the client's word; where it does not hold, the translation throws and the request is rejected.
  toCallOptions: (body, limit) => chatToCallOptions(body as unknown as ChatRequest, reach, limit),
  fromResult: chatFromResult,
})
