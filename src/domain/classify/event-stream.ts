import { type ErrorFacts, errorFacts } from './error-facts.ts'
import { factsInAnswer } from './error-in-answer.ts'
import { asRecord } from './json-shape.ts'

/** A stream that came without being asked for. */
export interface EventStream {
  /** The error in it: the partial answer before it is worthless. */
  readonly facts: ErrorFacts | null
  /** Whether it came to its end. */
  readonly isWhole: boolean
}

/** The first line of a stream of events, after comments that keep the connection alive. */
const opening = /^\ufeff?(?:\s*(?::.*)?\r?\n)*(?:event|data|id|retry) ?:/

/**
 * How each API ends a stream: OpenAI's `[DONE]`, the last event of Anthropic and of Responses, a chunk with a
 * reason.
 */
const ending =
  /^data: ?\[DONE\]|^event: ?(?:message_stop|response\.(?:completed|incomplete))|"type": ?"(?:message_stop|response\.(?:completed|incomplete))"|"(?:finish_reason|finishReason)": ?"/m

/** Null when the text is not a stream. */
export const readEventStream = (text: string): EventStream | null => {
  if (!opening.test(text)) return null
  return { facts: errorIn(text), isWhole: ending.test(text) }
}

/**
 * The error of a stream that failed midway. It may follow `event: error` or not, and be an event or part of a
 * chunk.
 */
const errorIn = (text: string): ErrorFacts | null => {
  for (const [, data] of text.matchAll(/^data: ?(.+)$/gm)) {
    // Chunks are many, and a search in the text is cheaper than parsing each.
    if (!data!.includes('"error"') && !data!.includes('"base_resp"')) continue
    const body = asRecord(parse(data!))
    const facts = body && (factsInAnswer(body) ?? errorFacts(body.response))
    if (facts) return facts
  }
  return null
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
