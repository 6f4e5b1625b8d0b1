import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Capability } from './capabilities.ts'

const recordAt = (value: unknown): JsonObject => (isJsonObject(value) ? value : {})
const listAt = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const isOver = (value: unknown, least: number): boolean => typeof value === 'number' && value > least
const hasItems = (value: unknown): boolean => listAt(value).length > 0

/** The capability that each type of content part needs, in all formats. */
const partNeeds: Readonly<Record<string, Capability>> = {
  image_url: 'vision',
  input_image: 'vision',
  image: 'vision',
  input_audio: 'audio',
  file: 'documents',
  input_file: 'documents',
  document: 'documents',
}

/** What answers may be bound to: by OpenAI's two endpoints, and by Anthropic's. */
const formatNeeds: Readonly<Record<string, Capability>> = {
  json_object: 'json_mode',
  json_schema: 'json_schema',
}

/** The parts of a message; a tool's result has parts of its own. */
const partsOf = (message: unknown): readonly unknown[] =>
  listAt(recordAt(message).content).flatMap(part => [part, ...listAt(recordAt(part).content)])

const ofParts = (messages: unknown): (Capability | undefined)[] =>
  listAt(messages)
    .flatMap(partsOf)
    .map(part => partNeeds[String(recordAt(part).type)])

const ofFormat = (format: unknown): Capability | undefined => formatNeeds[String(recordAt(format).type)]

const when = (needed: boolean, capability: Capability): Capability | undefined =>
  needed ? capability : undefined

const readers: Readonly<Record<Endpoint, (body: JsonObject) => (Capability | undefined)[]>> = {
  '/v1/chat/completions': body => [
    ...ofParts(body.messages),
    ofFormat(body.response_format),
    when(hasItems(body.tools) || hasItems(body.functions), 'tools'),
    when(isJsonObject(body.audio) || listAt(body.modalities).includes('audio'), 'audio'),
    when(isOver(body.n, 1), 'n'),
    when(body.logprobs === true || isOver(body.top_logprobs, 0), 'logprobs'),
  ],
  '/v1/messages': body => [
    ...ofParts(body.messages),
    ofFormat(recordAt(body.output_config).format),
    ofFormat(body.output_format),
    when(hasItems(body.tools), 'tools'),
  ],
  '/v1/responses': body => [
    ...ofParts(body.input),
    ofFormat(recordAt(body.text).format),
    when(hasItems(body.tools), 'tools'),
    when(
      isOver(body.top_logprobs, 0) || listAt(body.include).includes('message.output_text.logprobs'),
      'logprobs',
    ),
  ],
  '/v1/completions': body => [
    when(isOver(body.n, 1) || isOver(body.best_of, 1), 'n'),
    when(isOver(body.logprobs, 0), 'logprobs'),
  ],
  '/v1/embeddings': () => [],
}

/** What the model must be able to do for this request; `body` is the parsed JSON in the endpoint's format. */
export const capabilitiesNeeded = (endpoint: Endpoint, body: unknown): ReadonlySet<Capability> =>
  new Set(readers[endpoint](recordAt(body)).filter(need => need !== undefined))

/** The longest answer that the request allows, in tokens; 0 when it names none. */
export const outputAsked = (body: unknown): number => {
  const { max_completion_tokens, max_output_tokens, max_tokens } = recordAt(body)
  const asked = max_completion_tokens ?? max_output_tokens ?? max_tokens
  return typeof asked === 'number' ? asked : 0
}

/** Where a request holds what a model reads. */
const promptMembers = ['messages', 'system', 'prompt', 'input', 'instructions', 'tools'] as const

/**
 * No tokenizer in use makes fewer tokens of text than this many characters other than white space each:
 * English has four and a half, German and code fewer. Twice that leaves room for text that is unusually easy.
 */
export const charactersPerToken = 8
/** Base64 of a file is no text, and comes without a space. */
const longestWord = 1_000
const looksLikeBytes = /^(?:data:[^,]{0,100},)?[A-Za-z0-9+/_=-]*$/
const space = 32

const visibleCharacters = (text: string): number => {
  if (text.length > longestWord && looksLikeBytes.test(text)) return 0
  let count = 0
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > space) count += 1
  return count
}

/** Without recursion: a body may nest deeper than the stack reaches. */
const charactersIn = (value: unknown): number => {
  let count = 0
  const left = [value]
  while (left.length > 0) {
    const next = left.pop()
    if (typeof next === 'string') count += visibleCharacters(next)
    else if (typeof next === 'object' && next !== null)
      for (const inner of Object.values(next)) left.push(inner)
  }
  return count
}

/** Tokens that the model has to read, at the very least. Each input of an embedding counts alone. */
export const leastInputTokens = (endpoint: Endpoint, body: unknown): number => {
  const request = recordAt(body)
  const { input } = request
  const texts =
    endpoint === '/v1/embeddings'
      ? Array.isArray(input)
        ? input
        : [input]
      : [promptMembers.map(name => request[name])]
  const longest = Math.max(0, ...texts.map(charactersIn))
  return Math.floor(longest / charactersPerToken)
}
