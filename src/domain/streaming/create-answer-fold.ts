import type { AnswerFold, StreamedEndpoint } from './answer-fold.ts'
import { ChatContent, CompletionContent } from './choice-fold.ts'
import { ChunkFold } from './chunk-fold.ts'
import { MessageFold } from './message-fold.ts'
import { ResponseFold } from './response-fold.ts'

const folds: Readonly<Record<StreamedEndpoint, () => AnswerFold>> = {
  '/v1/chat/completions': () => new ChunkFold('chat.completion', () => new ChatContent()),
  '/v1/completions': () => new ChunkFold('text_completion', () => new CompletionContent()),
  '/v1/messages': () => new MessageFold(),
  '/v1/responses': () => new ResponseFold(),
}

/** A fold for the events of one stream in the format of this endpoint. */
export const createAnswerFold = (endpoint: StreamedEndpoint): AnswerFold => folds[endpoint]()
