import { changesInMessages, unsupportedInMessages } from './anthropic-messages-parameters.ts'
import { type MessagesRequest, messagesToCallOptions } from './anthropic-messages-request.ts'
import { messageFromResult } from './anthropic-messages-response.ts'
import { MessageEvents } from './anthropic-messages-stream.ts'
import type { CreateFormatAdapter } from './format-adapter.ts'
import { changesInChat, unsupportedInChat } from './openai-chat-parameters.ts'
import { type ChatRequest, chatToCallOptions } from './openai-chat-request.ts'
import { chatFromResult } from './openai-chat-response.ts'
import { ChatEvents } from './openai-chat-stream.ts'
import { changesInResponses, unsupportedInResponses } from './openai-responses-parameters.ts'
import { responsesToCallOptions } from './openai-responses-request.ts'
import { responseFromResult } from './openai-responses-response.ts'
import { ResponseEvents } from './openai-responses-stream.ts'

/** Anthropic messages on this side. */
export const messagesAdapter: CreateFormatAdapter = supported => ({
  unsupported: body => unsupportedInMessages(body, supported),
  changes: body => changesInMessages(body, supported),
  // The shape is the client's word; where it does not hold, the translation throws and the request is
  // rejected.
  toCallOptions: (body, limit) => messagesToCallOptions(body as unknown as MessagesRequest, supported, limit),
  fromResult: messageFromResult,
  toEvents: facts => new MessageEvents(facts),
})

/** OpenAI chat completions on this side. */
export const chatAdapter: CreateFormatAdapter = supported => ({
  unsupported: body => unsupportedInChat(body, supported),
  changes: body => changesInChat(body, supported),
  // The shape is the client's word; where it does not hold, the translation throws and the request is
  // rejected.
  toCallOptions: (body, limit) => chatToCallOptions(body as unknown as ChatRequest, supported, limit),
  fromResult: chatFromResult,
  toEvents: facts => new ChatEvents(facts),
})

/** OpenAI Responses on this side. */
export const responsesAdapter: CreateFormatAdapter = supported => ({
  unsupported: body => unsupportedInResponses(body, supported),
  changes: body => changesInResponses(body, supported),
  toCallOptions: (body, limit) => responsesToCallOptions(body, supported, limit),
  fromResult: responseFromResult,
  toEvents: facts => new ResponseEvents(facts),
})
