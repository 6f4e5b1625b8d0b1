import { carriedWhole } from '../../domain/carriage.ts'
import type { CreateEdge } from './edge.ts'
import { lostFromChat } from './openai-chat-parameters.ts'
import { type ChatRequest, chatToCallOptions } from './openai-chat-request.ts'
import { chatFromResult } from './openai-chat-response.ts'

/** OpenAI chat completions on this side. */
export const chatEdge: CreateEdge = reach => ({
  carriage: body => ({ ...carriedWhole, excluded: lostFromChat(body, reach) }),
  // The shape is the client's word; where it does not hold, the translation throws and the request is rejected.
  toCallOptions: (body, maxOutputTokens) =>
    chatToCallOptions(body as unknown as ChatRequest, reach, maxOutputTokens),
  fromResult: chatFromResult,
})
