// Loaded into the gateway ahead of its own code, which adds to the headers of a streamed answer that it passes on. It may not: those
// of what `fetch` gives cannot be changed, and every stream would end with status 500.
const { fetch: fetchIt, Response: Answer } = globalThis
globalThis.fetch = async (...args) => {
  const { body, status, headers } = await fetchIt(...args)
  return new Answer(body, { status, headers: [...headers] })
}
