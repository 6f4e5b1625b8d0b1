import type { Endpoint } from '../endpoint.ts'

/** About how many tokens a request has and its answer will have. */
export interface Tokens {
  readonly input: number
  readonly output: number
}

/** A rule of thumb for English and the JSON around it. */
const charactersPerToken = 4
/** An answer of two or three paragraphs: what is asked for at most says little of what comes. */
const usualAnswer = 500

const limit = /"max_(?:completion_|output_)?tokens"\s*:\s*(\d+)/

/** Guessed from the text alone, which is not parsed for it: it chooses between targets and holds a budget, no more. */
export const sizeOf = (endpoint: Endpoint, text: string): Tokens => {
  const input = Math.ceil(text.length / charactersPerToken)
  if (endpoint === '/v1/embeddings') return { input, output: 0 }
  const [, most] = limit.exec(text) ?? []
  return { input, output: most === undefined ? usualAnswer : Math.min(Number(most), usualAnswer) }
}
