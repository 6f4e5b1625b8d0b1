import type { Endpoint } from '../domain/endpoint.ts'
import { isJsonObject, type JsonObject } from '../json/json-object.ts'

/** What an answer says, without what is of the call: ids, counts, times, the model's name. */
export interface AnswerContent {
  readonly texts: readonly string[]
  /** Names and arguments of the tools that are called. */
  readonly calls: readonly { readonly name: unknown; readonly input: unknown }[]
}

const recordsIn = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isJsonObject) : [])

const recordOf = (value: unknown): JsonObject => recordsIn([value])[0] ?? {}

/** The content of an answer is one text, or a list of parts. */
const textOf = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : recordsIn(content)
        .map(({ text }) => (typeof text === 'string' ? text : ''))
        .join('')

const inChat = ({ choices }: JsonObject): AnswerContent => {
  const messages = recordsIn(choices).map(({ message }) => recordOf(message))
  return {
    texts: messages.map(({ content }) => textOf(content)),
    calls: messages.flatMap(({ tool_calls, function_call }) =>
      [...recordsIn(tool_calls).map(call => recordOf(call.function)), ...recordsIn([function_call])].map(
        call => ({ name: call.name, input: call.arguments }),
      ),
    ),
  }
}

const inMessage = ({ content }: JsonObject): AnswerContent => ({
  texts: [textOf(recordsIn(content).filter(({ type }) => type === 'text'))],
  calls: recordsIn(content)
    .filter(({ type }) => type === 'tool_use')
    .map(({ name, input }) => ({ name, input })),
})

const inResponse = ({ output }: JsonObject): AnswerContent => {
  const items = recordsIn(output)
  return {
    texts: [items.map(({ content }) => textOf(content)).join('')],
    calls: items
      .filter(({ type }) => type === 'function_call')
      .map(({ name, arguments: input }) => ({ name, input })),
  }
}

const readers: Readonly<Record<Endpoint, (answer: JsonObject) => AnswerContent>> = {
  '/v1/chat/completions': inChat,
  '/v1/messages': inMessage,
  '/v1/responses': inResponse,
  '/v1/completions': ({ choices }) => ({
    texts: recordsIn(choices).map(({ text }) => textOf(text)),
    calls: [],
  }),
  // Vectors of two models are never alike, and of one always: told all the same.
  '/v1/embeddings': ({ data }) => ({
    texts: recordsIn(data).map(({ embedding }) => JSON.stringify(embedding)),
    calls: [],
  }),
}

/**
 * Reads an answer in the format of its endpoint; missing parts read as empty. Throws a SyntaxError when it is
 * not JSON.
 */
export const contentOf = (endpoint: Endpoint, body: string): AnswerContent =>
  readers[endpoint](recordOf(JSON.parse(body)))
