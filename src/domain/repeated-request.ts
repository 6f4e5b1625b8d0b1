import { isJsonObject, type JsonObject } from '../json/json-object.ts'

/** What OpenAI's Responses repeat of their request, and what they say where that says nothing. */
const defaults: JsonObject = {
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  prompt: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  service_tier: 'auto',
  store: true,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  top_p: 1,
  truncation: 'disabled',
  user: null,
}

/** The members of a response that repeat its request, the parsed body of one. */
export const repeatedRequest = (request: unknown): JsonObject => {
  const asked = isJsonObject(request) ? request : {}
  return Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, asked[name] ?? value]))
}
