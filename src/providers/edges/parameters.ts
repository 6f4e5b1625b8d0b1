import { isJsonObject, type JsonObject } from './json.ts'

/** What becomes of each key of an object on its way through an edge. A key in none of these is lost. */
export interface ParameterTable {
  /** Carried over. */
  readonly carried: readonly string[]
  /** Left behind, without effect on the answer. */
  readonly harmless: readonly string[]
  /** Carried, or without effect, with these values only. */
  readonly onlyWhen: Readonly<Record<string, (value: unknown, owner: JsonObject) => boolean>>
}

export const isOneOf =
  (...allowed: readonly unknown[]) =>
  (value: unknown): boolean =>
    allowed.includes(value)

const survives = (table: ParameterTable, key: string, owner: JsonObject): boolean =>
  table.carried.includes(key) ||
  table.harmless.includes(key) ||
  (Object.hasOwn(table.onlyWhen, key) && table.onlyWhen[key]!(owner[key], owner))

/** Names the keys of `owner` that `table` does not let through. Null counts as absent, as it does in both APIs. */
export const lostKeys = (owner: JsonObject, table: ParameterTable, prefix = ''): string[] =>
  Object.keys(owner)
    .filter(key => owner[key] !== null && owner[key] !== undefined && !survives(table, key, owner))
    .map(key => prefix + key)

/** `lostKeys` for a list of parts that are told apart by `type`; a type without a table is lost whole. */
export const lostParts = (
  parts: unknown,
  tables: Readonly<Record<string, ParameterTable>>,
  prefix: string,
): string[] => {
  if (!Array.isArray(parts)) return []
  return parts.filter(isJsonObject).flatMap(part => {
    const type = String(part.type)
    return Object.hasOwn(tables, type) ? lostKeys(part, tables[type]!, `${prefix}${type}.`) : [prefix + type]
  })
}
