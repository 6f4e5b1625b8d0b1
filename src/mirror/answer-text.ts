/** Of each answer: a hundred pairs then take 3 MB of Redis at most. */
export const keptBytes = 16 * 1024

export interface AnswerText {
  readonly text: string
  /** Whether the answer was longer. */
  readonly cut: boolean
}

/** An answer, or its beginning up to the last whole character that there is room for. */
export const answerTextOf = (body: string): AnswerText => {
  // No character takes less than a byte, so what is long need not be encoded whole.
  const bytes = Buffer.from(body.slice(0, keptBytes))
  if (body.length <= keptBytes && bytes.length <= keptBytes) return { text: body, cut: false }
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  // As if more were to come: half a character at the end is left out.
  return { text: decoder.decode(bytes.subarray(0, keptBytes), { stream: true }), cut: true }
}
