import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import type { FieldChange, FieldRule } from './field-rules.ts'

/** What becomes of each key of an object in an adapter. A key in none of these lists is not supported. */
export interface ParameterTable {
  /** Carried over. */
  readonly carried: readonly string[]
  /** Left behind, without effect on the answer. */
  readonly harmless: readonly string[]
  /** Carried, or without effect, with these values only. */
  readonly onlyWhen: Readonly<Record<string, (value: unknown, owner: JsonObject) => boolean>>
  /** Carried where the target knows the like; the answer is the same kind of answer without. */
  readonly rules?: Readonly<Record<string, FieldRule>>
}

export const isOneOf =
  (...allowed: readonly unknown[]) =>
  (value: unknown): boolean =>
    allowed.includes(value)

/** Null counts as absent, as it does in both APIs. */
const isAbsent = (value: unknown): boolean => value === null || value === undefined

const isSupported = (table: ParameterTable, key: string, owner: JsonObject): boolean =>
  table.carried.includes(key) ||
  table.harmless.includes(key) ||
  (table.rules !== undefined && Object.hasOwn(table.rules, key)) ||
  (Object.hasOwn(table.onlyWhen, key) && table.onlyWhen[key]!(owner[key], owner))

/** Names the keys of `owner` that `table` does not let through. */
export const unsupportedKeys = (owner: JsonObject, table: ParameterTable, prefix = ''): string[] =>
  Object.keys(owner)
    .filter(key => !isAbsent(owner[key]) && !isSupported(table, key, owner))
    .map(key => prefix + key)

/** The changes to keys of `owner` that have rules. Values are judged within `body`, the whole request. */
export const changesOfKeys = (
  owner: JsonObject,
  table: ParameterTable,
  body: JsonObject,
  prefix = '',
): FieldChange[] =>
  Object.entries(table.rules ?? {}).flatMap(([key, rule]) => {
    if (!Object.hasOwn(owner, key) || isAbsent(owner[key])) return []
    const change = rule(owner[key], body)
    return change ? [{ field: prefix + key, ...change }] : []
  })

type PartTables = Readonly<Record<string, ParameterTable>>

const partsIn = (parts: unknown): JsonObject[] => (Array.isArray(parts) ? parts.filter(isJsonObject) : [])

const tableFor = (tables: PartTables, type: string): ParameterTable | undefined =>
  Object.hasOwn(tables, type) ? tables[type] : undefined

/**
 * `unsupportedKeys` for a list of parts distinguished by `type`; a type without a table is not supported at
 * all.
 */
export const unsupportedParts = (parts: unknown, tables: PartTables, prefix: string): string[] =>
  partsIn(parts).flatMap(part => {
    const type = String(part.type)
    const table = tableFor(tables, type)
    return table ? unsupportedKeys(part, table, `${prefix}${type}.`) : [prefix + type]
  })
