import type { AnswerFold, StreamedEndpoint } from './answer-fold.ts'
import { ChatContent, CompletionContent } from './choice-fold.ts'
import { ChunkFold } from './chunk-fold.ts'

const folds: Readonly<Partial<Record<StreamedEndpoint, () => AnswerFold>>> = {
  '/v1/chat/completions': () => new ChunkFold('chat.completion', () => new ChatContent()),
  '/v1/completions': () => new ChunkFold('text_completion', () => new CompletionContent()),
}

/** A fold for the events of one stream in the format of this endpoint. */
export const createAnswerFold = (endpoint: StreamedEndpoint): AnswerFold => {
  const create = folds[endpoint]
  if (create === undefined) throw new Error(`Streams of ${endpoint} are not folded.`)
  return create()
}
