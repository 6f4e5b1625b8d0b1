import type { SseEvent } from './sse-event.ts'

/**
 * What an event is to a stream. `preamble`: comes before the model has said anything (a role, an id, a ping), so the attempt can
 * still be replaced. `content`: text, reasoning, a refusal, a tool call, or the finish of an answer that has none of these.
 * `usage`: nothing but what was used, after the answer. `error`: the provider gives up. `end`: the last event of a whole stream.
 */
export type EventKind = 'preamble' | 'content' | 'usage' | 'error' | 'end'

/** Puts the events of one streamed answer together, in the format of its endpoint. */
export interface AnswerFold {
  /** Takes the next event into the answer. */
  take(event: SseEvent): EventKind
  /** The answer so far, as the endpoint gives it without streaming; usage is there as far as it was told. */
  answer(): Record<string, unknown>
  /** Whether the model has finished and said why; some vendors send no last event after that. */
  isWhole(): boolean
  /** The body of an error as the provider would give it without streaming; null before an `error` event. */
  error(): unknown
}
