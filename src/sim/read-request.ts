import type { Endpoint } from '../domain/endpoint.ts'

/** What an answer is made from: the few facts of a request that matter here, whatever its format. */
export interface SimRequest {
  readonly endpoint: Endpoint
  readonly model: string
  readonly body: unknown
  /** The text of the last user message, or the prompt. */
  readonly prompt: string
  /** The tool to call, where the request brings tools and its prompt asks with `[[tool]]`. */
  readonly toolName: string | null
  /** The JSON schema that the answer must meet; undefined when plain text will do. */
  readonly schema: unknown
  /** Whether the answer is to be streamed. */
  readonly isStreamed: boolean
  /** A rough count: a token for every four characters of the body. */
  readonly inputTokens: number
}

/** Text of a message's content: a string, or the text parts of a list. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map(part => stringAt(part, 'text') ?? '').join('')
}

function promptOf(endpoint: Endpoint, body: unknown): string {
  if (endpoint === '/v1/completions') {
    return stringAt(body, 'prompt') ?? stringAt(body, 'prompt', 0) ?? ''
  }
  if (endpoint === '/v1/responses' || endpoint === '/v1/embeddings') {
    const input = stringAt(body, 'input')
    if (input !== null) return input
  }
  const turns = listAt(body, endpoint === '/v1/responses' ? 'input' : 'messages')
  return textOf(
    jsonAt(
      turns.findLast(turn => jsonAt(turn, 'role') === 'user'),
      'content',
    ),
  )
}

function toolNameOf(body: unknown, prompt: string): string | null {
  if (!prompt.includes('[[tool]]')) return null
  return stringAt(body, 'tools', 0, 'function', 'name') ?? stringAt(body, 'tools', 0, 'name')
}

/** Chat says `response_format`, responses `text.format`, Anthropic `output_config.format`. */
function schemaOf(body: unknown): unknown {
  const format =
    jsonAt(body, 'response_format') ??
    jsonAt(body, 'text', 'format') ??
    jsonAt(body, 'output_config', 'format')
  if (jsonAt(format, 'type') === 'json_object') return { type: 'object' }
  return jsonAt(format, 'json_schema', 'schema') ?? jsonAt(format, 'schema')
}

/** Answers null where the body names no model: no provider takes such a request. */
export function readRequest(endpoint: Endpoint, text: string, body: unknown): SimRequest | null {
  const model = stringAt(body, 'model')
  if (model === null) return null
  const prompt = promptOf(endpoint, body)
  return {
    endpoint,
    model,
    body,
    prompt,
    toolName: toolNameOf(body, prompt),
    schema: schemaOf(body),
    isStreamed: endpoint !== '/v1/embeddings' && jsonAt(body, 'stream') === true,
    inputTokens: Math.ceil(text.length / 4),
  }
}

/**
 * Whose call it is, so that repeated calls can be told from new ones: the header `x-sim-id`, else the caller's
 * own mark in the body, under each name that it keeps on its way through a translation. Null when there is none.
 */
export const identityOf = (header: string | undefined, body: unknown): string | null =>
  header ??
  stringAt(body, 'user') ??
  stringAt(body, 'safety_identifier') ??
  stringAt(body, 'metadata', 'user_id')

/** The value at a path of keys in parsed JSON of unknown shape, or undefined where the path ends early. */
export function jsonAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined
    current = (current as Record<string | number, unknown>)[key]
  }
  return current
}

export const stringAt = (value: unknown, ...path: readonly (string | number)[]): string | null => {
  const found = jsonAt(value, ...path)
  return typeof found === 'string' ? found : null
}

export const listAt = (value: unknown, ...path: readonly (string | number)[]): readonly unknown[] => {
  const found = jsonAt(value, ...path)
  return Array.isArray(found) ? found : []
}
