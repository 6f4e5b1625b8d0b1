import type { Endpoint } from '../domain/endpoint.ts'

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const recordsIn = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : []

const anyFinishedWith =
  (...reasons: unknown[]) =>
  (answer: Record<string, unknown>): boolean =>
    recordsIn(answer.choices).some(choice => reasons.includes(choice.finish_reason))

const isCut: Readonly<Record<Endpoint, (answer: Record<string, unknown>) => boolean>> = {
  // A choice behind the first may be filtered, and the answer judged good.
  '/v1/chat/completions': anyFinishedWith('length', 'content_filter'),
  '/v1/completions': anyFinishedWith('length', 'content_filter'),
  '/v1/messages': ({ stop_reason }) =>
    ['max_tokens', 'model_context_window_exceeded', 'pause_turn'].includes(stop_reason as string),
  '/v1/responses': ({ status }) => status === 'incomplete',
  '/v1/embeddings': () => false,
}

/** Whether a good answer came to its own end, rather than to a limit of length or a filter. Never throws. */
export const isWhole = (endpoint: Endpoint, body: string): boolean => {
  try {
    const answer: unknown = JSON.parse(body)
    return isRecord(answer) && !isCut[endpoint](answer)
  } catch {
    return false
  }
}
