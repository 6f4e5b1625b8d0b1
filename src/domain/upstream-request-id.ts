/** Headers with a vendor's id of the request; those that a proxy in between may have set come last. */
const names = [
  'request-id', // Anthropic
  'x-request-id', // OpenAI, Azure, Groq, Together, Fireworks and most that copy them
  'x-amzn-requestid', // Bedrock
  'apim-request-id', // Azure
  'x-ms-request-id',
  'mistral-correlation-id',
  'x-goog-request-id',
  'x-debug-trace-id', // Cohere
  'x-ds-trace-id', // DeepSeek
  'x-generation-id', // OpenRouter
  'x-correlation-id',
  'cf-ray',
] as const

const longest = 128

/** An id is one run of visible characters; anything else is ignored. */
const readable = /^[\x21-\x7e]+$/

/** What the provider itself calls a request, as its support will ask; null where it does not say. */
export const requestIdOf = (headers: Readonly<Record<string, string>>): string | null => {
  for (const name of names) {
    // A header that comes twice is one text, with a comma between.
    const id = (headers[name] ?? '').split(',', 1)[0]?.trim()
    if (id && id.length <= longest && readable.test(id)) return id
  }
  return null
}
