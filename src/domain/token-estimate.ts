/** Bytes of JSON for each token: English text has about four characters to a token. */
const bytesPerToken = 4
/** Of an answer, where neither the request nor experience says. */
const usualOutputTokens = 500

/**
 * The first limit of its answer that a request names, read without parsing it. A prompt that speaks of one can fool this; what the
 * call really used is settled afterwards.
 */
const outputLimit = /"(?:max_completion_tokens|max_output_tokens|max_tokens)"\s*:\s*(\d{1,7})\b/

/** Tokens a request may use: what it says, and what it may be answered. `usualOutput`: what answers had lately. */
export const estimateTokens = (body: string, usualOutput: number | null): number => {
  const named = outputLimit.exec(body)?.[1]
  const most = named === undefined ? Number.POSITIVE_INFINITY : Number(named)
  const output = Math.min(most, usualOutput ?? (named === undefined ? usualOutputTokens : most))
  return Math.ceil(body.length / bytesPerToken + output)
}
