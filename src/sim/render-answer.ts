import type { Endpoint } from '../domain/endpoint.ts'
import type { Answer, AnswerContext } from './answer.ts'
import { message } from './anthropic-answers.ts'
import { chatCompletion, response, textCompletion } from './openai-answers.ts'
import { embeddings } from './openai-embeddings.ts'

/** How an answer looks in the format of each endpoint. */
export const renderAnswer: Record<Endpoint, (context: AnswerContext) => unknown> = {
  '/v1/chat/completions': chatCompletion,
  '/v1/messages': message,
  '/v1/embeddings': embeddings,
  '/v1/responses': response,
  '/v1/completions': textCompletion,
}

export function outputTokensOf(answer: Answer): number {
  if (answer.kind === 'text') return Math.ceil(answer.text.length / 4)
  return answer.kind === 'tool' ? Math.ceil(answer.name.length / 4) : 0
}
