import { parseExactly } from '../../json/exact-json.ts'
import type { JsonObject } from '../../json/json-object.ts'
import type { StreamedEndpoint } from './answer-fold.ts'
import { chatEvents, completionEvents } from './chunk-events.ts'
import { messageEvents } from './message-events.ts'
import { responseEvents } from './response-events.ts'

export interface EventsOptions {
  /** Whether the client of chat or completions asked for what was used; the other formats always tell it. */
  readonly includeUsage: boolean
}

/**
 * The stream of a whole answer, for a client that asked for one where none was made or kept: an answer from the cache, a lost log, an
 * answer without content. It goes through all the steps that official clients follow; folded, it is the answer again.
 */
export const eventsOfAnswer = (
  endpoint: StreamedEndpoint,
  answer: JsonObject,
  { includeUsage }: EventsOptions,
): string => {
  switch (endpoint) {
    case '/v1/chat/completions':
      return chatEvents(answer, includeUsage)
    case '/v1/completions':
      return completionEvents(answer, includeUsage)
    case '/v1/messages':
      return messageEvents(answer)
    case '/v1/responses':
      return responseEvents(answer)
  }
}

/** The same of an answer's text, with its numbers as they are written. Null for one that nests too deeply to be written anew. */
export const eventsOfText = (
  endpoint: StreamedEndpoint,
  answer: string,
  options: EventsOptions,
): string | null => {
  try {
    return eventsOfAnswer(endpoint, parseExactly(answer) as JsonObject, options)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}
