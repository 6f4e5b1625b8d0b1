import type { Adjustment, AdjustmentAction } from '../../domain/routing/adjustments.ts'
import { isJsonObject, type JsonObject } from '../../json/json-object.ts'

/**
 * What is sent in place of a value that a model cannot be given, and that its answer can do without. With an
 * action the request asks for less or for something near it, which is reported to the client; with null the
 * value meant what holds anyway, and only its spelling changes.
 */
export interface Change {
  readonly action: AdjustmentAction | null
  /** What is sent in its place; absent for nothing. */
  readonly value?: unknown
}

/** Null where the value can be given as it stands; `owner` is the body it stands in. */
export type FieldRule = (value: unknown, owner: JsonObject) => Change | null

/** A change and where it is to be made. */
export interface FieldChange extends Change {
  readonly field: string
}

export const keep: FieldRule = () => null

const leaveOutChange: Change = { action: 'left_out' }

export const leaveOut: FieldRule = () => leaveOutChange

/** For a value that asks for what holds without it. */
export const dropSilently: Change = { action: null }

/** Drops neutral values without a report; judges the others by `rule`. */
export const unless =
  (isNeutral: (value: unknown) => boolean, rule: FieldRule): FieldRule =>
  (value, owner) =>
    isNeutral(value) ? dropSilently : rule(value, owner)

/** Numbers beyond the range go to its end. What is no number is for the provider to judge. */
export const clamp =
  (least: number, most: number): FieldRule =>
  value => {
    if (typeof value !== 'number') return null
    if (value > most) return { action: 'lowered', value: most }
    return value < least ? { action: 'raised', value: least } : null
  }

export const integerWithin =
  (least: number, most: number): FieldRule =>
  value =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most ? null : leaveOutChange

export const adjustmentsOf = (changes: readonly FieldChange[]): Adjustment[] =>
  changes.flatMap(({ field, action }) => (action === null ? [] : [{ field, action }]))

/** The body with the changes made. Those inside lists are not: what stands there is not carried anyway. */
export const withChanges = (body: JsonObject, changes: readonly FieldChange[]): JsonObject => {
  let changed = body
  for (const { field, value } of changes) changed = withChange(changed, field.split('.'), value)
  return changed
}

const withChange = (owner: JsonObject, [name, ...rest]: readonly string[], value: unknown): JsonObject => {
  if (name === undefined) return owner
  if (rest.length === 0) return { ...owner, [name]: value }
  const inner = owner[name]
  if (!isJsonObject(inner)) return owner
  return { ...owner, [name]: withChange(inner, rest, value) }
}
