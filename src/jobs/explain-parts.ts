/** One part of a sentence: words, or what a reader may show in its own way. */
export type ExplainPart =
  | string
  /** Unix seconds: the time of day, or the date as well. */
  | { readonly time: number; readonly as: 'clock' | 'full' }
  /** `provider/model`. */
  | { readonly target: string }

export type Sentence = readonly ExplainPart[]

export const clock = (time: number): ExplainPart => ({ time, as: 'clock' })
export const fullTime = (time: number): ExplainPart => ({ time, as: 'full' })

/** A sentence of words and parts; sentences within it become one with it. */
export const say = (words: TemplateStringsArray, ...between: readonly (ExplainPart | Sentence)[]): Sentence =>
  words.slice(1).reduce<Sentence>((said, word, i) => join(said, [between[i]!].flat(), [word]), [words[0]!])

/** Words that follow on words are one part, and empty ones none. */
const join = (...sentences: readonly Sentence[]): Sentence => {
  const parts: ExplainPart[] = []
  for (const part of sentences.flat()) {
    const last = parts.at(-1)
    if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part
    else if (part !== '') parts.push(part)
  }
  return parts
}
