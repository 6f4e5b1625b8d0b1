import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import type { ThinkingBlock } from './earlier-reasoning.ts'
import { UntranslatableError } from './format-adapter.ts'
import { blockOfReasoning } from './openai-responses-reasoning.ts'

/** A part of a message's content in the format of chat completions. */
type ChatPart = JsonObject

interface AssistantMessage {
  readonly role: 'assistant'
  readonly content: ChatPart[]
  readonly tool_calls: JsonObject[]
  readonly thinking_blocks: ThinkingBlock[]
}

type ChatMessage = AssistantMessage | JsonObject

/** The items of a request's `input`; a text is what the user says, and an item without a type is a message. */
export const itemsOf = ({ input }: JsonObject): readonly JsonObject[] => {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }]
  if (!Array.isArray(input)) return []
  return input
    .filter(isJsonObject)
    .map(item => (item.type === undefined ? { ...item, type: 'message' } : item))
}

/** The parts of an item's content. A text is one of them. */
export const partsOf = (content: unknown): readonly JsonObject[] => {
  if (typeof content === 'string') return [{ type: 'input_text', text: content }]
  return Array.isArray(content) ? content.filter(isJsonObject) : []
}

const partOf = (part: JsonObject): ChatPart => {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
      return { type: 'text', text: part.text }
    case 'refusal':
      return { type: 'refusal', refusal: part.refusal }
    case 'input_image':
      return { type: 'image_url', image_url: { url: part.image_url } }
    case 'input_file':
      return { type: 'file', file: { file_data: part.file_data, filename: part.filename } }
    default:
      throw new UntranslatableError(`input.content.${part.type}`)
  }
}

const callOf = ({ call_id, name, arguments: input, extra_content }: JsonObject): JsonObject => ({
  id: call_id,
  type: 'function',
  function: { name, arguments: input },
  ...(extra_content !== undefined && { extra_content }),
})

/** The message of a tool holds text only, so what else a result has follows in the user's turn. */
const filesFollow = { type: 'text', text: 'The result is the image in the next message.' }

/** Puts items together into turns: what an assistant thinks, says and calls one after the other is one of its turns. */
class Turns {
  readonly messages: ChatMessage[] = []
  /** Of the results that come one after the other. */
  #images: ChatPart[] = []

  take(item: JsonObject): void {
    if (item.type !== 'function_call_output') this.flush()
    switch (item.type) {
      case 'message':
        this.#message(item)
        break
      case 'function_call':
        this.#assistant().tool_calls.push(callOf(item))
        break
      case 'reasoning':
        this.#assistant().thinking_blocks.push(blockOfReasoning(item))
        break
      case 'function_call_output':
        this.#result(item)
        break
      default:
        throw new UntranslatableError(`input.${item.type}`)
    }
  }

  /** The images of results, once the last of these is there. */
  flush(): void {
    if (this.#images.length > 0) this.messages.push({ role: 'user', content: this.#images })
    this.#images = []
  }

  #message({ role, content }: JsonObject): void {
    const parts = partsOf(content).map(partOf)
    if (role === 'assistant') this.#assistant().content.push(...parts)
    else this.messages.push({ role, content: parts })
  }

  #result({ call_id, output }: JsonObject): void {
    const parts = partsOf(output).map(partOf)
    const images = parts.filter(({ type }) => type !== 'text')
    const texts = parts.filter(({ type }) => type === 'text')
    this.messages.push({
      role: 'tool',
      tool_call_id: call_id,
      content: images.length > 0 ? [...texts, filesFollow] : texts,
    })
    this.#images.push(...images)
  }

  #assistant(): AssistantMessage {
    const last = this.messages.at(-1)
    if (last?.role === 'assistant') return last as AssistantMessage
    const begun: AssistantMessage = { role: 'assistant', content: [], tool_calls: [], thinking_blocks: [] }
    this.messages.push(begun)
    return begun
  }
}

/** What was only thought is no turn. */
const saysSomething = (message: ChatMessage): boolean =>
  message.role !== 'assistant' ||
  (message as AssistantMessage).content.length + (message as AssistantMessage).tool_calls.length > 0

/** The messages of a chat completion that say the same. Throws on what they have no place for. */
export const messagesOfItems = (items: readonly JsonObject[]): readonly ChatMessage[] => {
  const turns = new Turns()
  for (const item of items) turns.take(item)
  turns.flush()
  return turns.messages.filter(saysSomething)
}
