import type { Path } from './fault.ts'
import { isTable } from './overrides.ts'

const childOf = (node: unknown, part: string | number): unknown => {
  if (Array.isArray(node)) return node[Number(part)]
  return isTable(node) ? node[part] : undefined
}

/** The value at a path of a document; undefined where there is none. */
export const at = (document: unknown, path: Path): unknown => path.reduce(childOf, document)

const namesIn = (node: unknown): Path => {
  if (Array.isArray(node)) return [...node.keys()]
  return isTable(node) ? Object.keys(node) : []
}

/** The paths in a document that a pattern stands for: `*` is any name, and any place in a list. */
export const pathsLike = (node: unknown, [part, ...rest]: readonly string[]): Path[] => {
  if (part === undefined) return [[]]
  const names = part === '*' ? namesIn(node) : isTable(node) && Object.hasOwn(node, part) ? [part] : []
  return names.flatMap(name => pathsLike(childOf(node, name), rest).map(path => [name, ...path]))
}

/** The document with a value at a path. A section of the wrong kind is left for the schema to name. */
export const withValue = (node: unknown, [part, ...rest]: Path, value: unknown): unknown => {
  if (part === undefined) return value
  if (Array.isArray(node)) return node.with(Number(part), withValue(node[Number(part)], rest, value))
  const table = node ?? {}
  return isTable(table) ? { ...table, [part]: withValue(table[part], rest, value) } : table
}

/** The document without what is at a path. */
export const withoutValue = (node: unknown, [part, ...rest]: Path): unknown => {
  if (part === undefined || !isTable(node)) return node
  const { [part]: inner, ...others } = node
  return rest.length === 0 ? others : { ...node, [part]: withoutValue(inner, rest) }
}
