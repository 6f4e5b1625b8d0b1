import type { StreamedEndpoint } from '../../../src/domain/streaming/answer-fold.ts'
import { createAnswerFold } from '../../../src/domain/streaming/create-answer-fold.ts'
import { SseSplitter } from '../../../src/domain/streaming/sse-splitter.ts'

/** Folds a whole text, as it would come in one chunk. */
export const foldText = (endpoint: StreamedEndpoint, text: string) => {
  const fold = createAnswerFold(endpoint)
  const splitter = new SseSplitter()
  const kinds = [...splitter.push(text), ...splitter.end()].map(event => fold.take(event))
  return { kinds, fold, answer: JSON.parse(JSON.stringify(fold.answer())) }
}

/** A stream of these data; text is taken as it is. */
export const streamOf = (...data: readonly unknown[]): string =>
  data.map(item => `data: ${typeof item === 'string' ? item : JSON.stringify(item)}\n\n`).join('')
