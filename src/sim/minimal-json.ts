import { jsonAt, listAt } from './json-at.ts'

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
