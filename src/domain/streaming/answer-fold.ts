import type { Endpoint } from '../endpoint.ts'
import type { SseEvent } from './sse-event.ts'

/**
 * What an event is to a stream. The first of kind `content` commits its attempt: until then another may replace it, since the
 * client has seen nothing.
 *
 * - `content`: text, reasoning or a tool call, and all that follows it of the answer, its finish among that.
 * - `preamble`: before any content. A role, an id, a ping; a refusal and a finish, too. A plain answer that has nothing else is judged
 *   by those alone, and may be handed over (`refused`, a failed finish, an empty answer); so must be a streamed one. Such a stream
 *   comes to its end without content: its answer is judged as a plain one, and reaches the client whole (`eventsOfAnswer`).
 * - `usage`: nothing but what was used. Clients of chat and completions see it only where they asked for it.
 * - `error`: the provider gives up, or the event cannot be read. It is never passed on.
 * - `end`: the last event of a whole stream. It may hold all of the answer, even where no content came before.
 */
export type EventKind = 'preamble' | 'content' | 'usage' | 'error' | 'end'

/** Puts the events of one streamed answer together, in the format of its endpoint. */
export interface AnswerFold {
  /** Takes the next event into the answer. */
  take(event: SseEvent): EventKind
  /** The answer so far, as the endpoint gives it without streaming; usage is there as far as it was told. */
  answer(): Record<string, unknown>
  /** The same as JSON text, with the inputs of tools as the model wrote them. Throws RangeError where the rest nests too deeply. */
  text(): string
  /** Whether the answer has come to its end, by its last event or by a finish; some providers send no event after that. */
  isWhole(): boolean
  /** The body of an error as the provider would give it without streaming; null before an event of kind `error`. */
  error(): unknown
}

/** The endpoints whose answers can be streamed. */
export type StreamedEndpoint = Exclude<Endpoint, '/v1/embeddings'>

export const canStream = (endpoint: Endpoint): endpoint is StreamedEndpoint => endpoint !== '/v1/embeddings'
