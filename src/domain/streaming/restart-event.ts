import type { StreamedEndpoint } from './answer-fold.ts'
import { eventText } from './sse-event.ts'

/** The name of the event, and its `type` or `object`. */
const name = 'baton.restart'

/** With the members that a client's loop over chunks looks at. */
const chunk = { id: '', object: name, created: 0, model: '', choices: [] }

/**
 * Says that what came of a stream so far is void, and that another answer begins with the next event. OpenAI's client passes it on
 * like any other; Anthropic's leaves out events that it does not know, and a second `message_start` says the same there.
 */
export const restartEvent = (endpoint: StreamedEndpoint): string => {
  const isChunk = endpoint === '/v1/chat/completions' || endpoint === '/v1/completions'
  return eventText(isChunk ? chunk : { type: name }, name)
}
