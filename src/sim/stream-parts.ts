import type { AnswerContext } from './answer.ts'

/**
 * Where an event stands in its stream. `opening`: before the model says anything. `content`: a piece of what it says.
 * `closing`: what follows, with the reason of the end. `end`: the mark after all that some APIs send.
 */
export type Stage = 'opening' | 'content' | 'closing' | 'end'

/** One event, as it goes out: its lines end in LF, and a blank line ends it. */
export interface StreamPart {
  readonly stage: Stage
  readonly text: string
}

/** OpenAI's older formats do not name their events. */
export const unnamed = (stage: Stage, data: object | '[DONE]'): StreamPart => ({
  stage,
  text: `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`,
})

/** An event that is named by its type, as Anthropic and Responses write it. */
export const named = (stage: Stage, type: string, fields: object = {}): StreamPart => ({
  stage,
  text: `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`,
})

/** Four characters count as a token, here as in the usage; a character of two code units is not cut. */
const charactersOfToken = 4

export function tokensOf(text: string): readonly string[] {
  const characters = [...text]
  const count = Math.ceil(characters.length / charactersOfToken)
  return Array.from({ length: count }, (_, index) =>
    characters.slice(index * charactersOfToken, (index + 1) * charactersOfToken).join(''),
  )
}

/** The arguments of every tool call that is made here, in the pieces in which they come. */
export const argumentPieces = ['{', '}']

export type StreamOf = (context: AnswerContext) => readonly StreamPart[]
