import { z } from 'zod'
import { didYouMean } from './did-you-mean.ts'
import type { Finding, Path } from './fault.ts'
import { configSchema } from './schema.ts'

type Issue = z.core.$ZodIssue

/** What the schema has against a document, one finding per setting. */
export const schemaFindings = (document: unknown): Finding[] =>
  (configSchema.safeParse(document).error?.issues ?? []).flatMap(issue => findingsOf(issue, document))

const findingsOf = (issue: Issue, document: unknown): Finding[] => {
  const path = issue.path.map(part => (typeof part === 'number' ? part : String(part)))
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(key => ({
        code: 'unknown_key',
        path: [...path, key],
        message: 'unknown key',
        suggestion: didYouMean(key, knownKeys(path)),
      }))
    case 'invalid_key':
      return [{ code: 'invalid', path, message: issue.issues[0]?.message ?? issue.message }]
    case 'invalid_value':
      return [unknownChoice(path, issue.values.map(String), document)]
    default:
      return [{ code: 'invalid', path, message: plain(issue.message) }]
  }
}

const unknownChoice = (path: Path, choices: readonly string[], document: unknown): Finding => {
  const chosen = valueAt(document, path)
  return {
    code: 'invalid',
    path,
    message: chosen === undefined ? 'is required' : `expected one of ${choices.join(', ')}`,
    suggestion: typeof chosen === 'string' ? didYouMean(chosen, choices) : undefined,
  }
}

const valueAt = (document: unknown, path: Path): unknown =>
  path.reduce<unknown>((node, part) => (node as Record<string | number, unknown> | null)?.[part], document)

const plain = (message: string): string =>
  message.endsWith('received undefined')
    ? 'is required'
    : message.replace(/^(Invalid input|Too small|Too big): /, '').replace(', received', ', found')

interface SchemaNode {
  readonly properties?: Record<string, SchemaNode>
  readonly additionalProperties?: SchemaNode | boolean
  readonly items?: SchemaNode
}

/** The keys that the schema knows at a path. */
const knownKeys = (path: Path): string[] => {
  // JSON Schema is the one form in which zod shows a schema's insides without its wrappers.
  let node = z.toJSONSchema(configSchema, { io: 'output', unrepresentable: 'any' }) as SchemaNode | undefined
  for (const part of path) {
    const inner = typeof part === 'number' ? node?.items : node?.properties?.[part]
    const others = node?.additionalProperties
    node = inner ?? (typeof others === 'object' ? others : undefined)
  }
  return Object.keys(node?.properties ?? {})
}
