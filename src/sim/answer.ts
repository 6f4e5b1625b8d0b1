import type { SimRequest } from './read-request.ts'
import { jsonAt, listAt } from './read-request.ts'

/** What a simulated model says, before a format gives it shape. */
export type Answer =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tool'; readonly name: string }
  | { readonly kind: 'refusal' }
  | { readonly kind: 'empty' }

export interface AnswerContext {
  readonly request: SimRequest
  readonly answer: Answer
  /** Unique per answer of one provider; ids are made of it. */
  readonly number: number
  readonly createdS: number
  readonly outputTokens: number
}

/**
 * The same request always gets the same answer: where it is text, of at least `answerBytes` bytes, or of so many tokens
 * of four characters.
 */
export function answerTo(request: SimRequest, answerBytes: number, tokens?: number): Answer {
  if (request.toolName !== null) return { kind: 'tool', name: request.toolName }
  if (request.schema !== undefined) return { kind: 'text', text: JSON.stringify(minimalJson(request.schema)) }
  const text = `echo: ${request.prompt.slice(0, 64).toWellFormed()}`
  if (tokens !== undefined)
    return { kind: 'text', text: (text + ' tok'.repeat(tokens)).slice(0, 4 * tokens).toWellFormed() }
  if (answerBytes === 0) return { kind: 'text', text }
  return { kind: 'text', text: text + '.'.repeat(Math.max(0, answerBytes - Buffer.byteLength(text))) }
}

const minimalOf: Record<string, unknown> = { string: '', number: 0, integer: 0, boolean: false, null: null }

/** A small value that meets a JSON schema of the kind that providers accept for structured answers. */
export function minimalJson(schema: unknown): unknown {
  const constant = jsonAt(schema, 'const') ?? jsonAt(schema, 'enum', 0)
  if (constant !== undefined) return constant
  const choice = jsonAt(schema, 'anyOf', 0) ?? jsonAt(schema, 'oneOf', 0)
  if (choice !== undefined) return minimalJson(choice)
  const type = jsonAt(schema, 'type', 0) ?? jsonAt(schema, 'type') ?? 'object'
  if (type === 'array') return []
  if (type !== 'object') return minimalOf[String(type)]
  const required = listAt(schema, 'required').map(String)
  return Object.fromEntries(required.map(name => [name, minimalJson(jsonAt(schema, 'properties', name))]))
}
