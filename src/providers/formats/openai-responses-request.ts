import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import { type PreparedCall, UntranslatableError } from './format-adapter.ts'
import { type ChatRequest, chatToCallOptions } from './openai-chat-request.ts'
import { itemsOf, messagesOfItems } from './openai-responses-items.ts'
import type { Supported } from './supported.ts'

/** A tool as chat completions have it; what is no function stays, for the tables to refuse. */
const toolOf = (tool: unknown): unknown => {
  if (!isJsonObject(tool) || tool.type !== 'function') return tool
  const { name, description, parameters, strict } = tool
  return { type: 'function', function: { name, description, parameters: parameters ?? undefined, strict } }
}

const toolChoiceOf = (choice: unknown): unknown =>
  isJsonObject(choice) && choice.type === 'function'
    ? { type: 'function', function: { name: choice.name } }
    : choice

const formatOf = (format: unknown): unknown => {
  if (!isJsonObject(format) || format.type !== 'json_schema') return format
  const { type, ...schema } = format
  return { type, json_schema: schema }
}

const member = (owner: unknown, name: string): unknown => (isJsonObject(owner) ? owner[name] : undefined)

/**
 * All of a request but its input, as a chat completion asks for it: whatever a model can be told in one format, it can in the
 * other, and the rules of both are the same. Values are taken as they come.
 */
export const chatSettingsOf = (body: JsonObject): JsonObject => ({
  model: body.model,
  tools: Array.isArray(body.tools) ? body.tools.map(toolOf) : body.tools,
  tool_choice: toolChoiceOf(body.tool_choice),
  parallel_tool_calls: body.parallel_tool_calls,
  response_format: formatOf(member(body.text, 'format')),
  reasoning_effort: member(body.reasoning, 'effort'),
  max_completion_tokens: body.max_output_tokens,
  temperature: body.temperature,
  top_p: body.top_p,
  user: body.user,
  safety_identifier: body.safety_identifier,
})

/** `limit`: for bodies that name none. Throws where the body does not have the shape of a Responses request. */
export const responsesToCallOptions = (
  body: JsonObject,
  supported: Supported,
  limit: number | undefined,
): PreparedCall => {
  const { instructions } = body
  if (instructions != null && typeof instructions !== 'string') throw new UntranslatableError('instructions')
  const items = itemsOf(body)
  if (items.length === 0) throw new UntranslatableError('input')
  const messages = [
    ...(instructions ? [{ role: 'system' as const, content: instructions }] : []),
    ...messagesOfItems(items),
  ]
  // The shape of what is within is the client's word; where it does not hold, the translation throws.
  const chat = { ...chatSettingsOf(body), messages } as unknown as ChatRequest
  return chatToCallOptions(chat, supported, limit)
}
