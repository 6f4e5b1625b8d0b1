import { isJsonObject, type JsonObject } from '../../json/json-object.ts'
import type { FieldRule } from './field-rules.ts'

/** How much a model is asked to think, from the least to the most. */
export const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const

export type Effort = (typeof efforts)[number]

const rankOf = (value: unknown): number => efforts.indexOf(value as Effort)

/** What a body of either format asks for, in the words of both. */
export const effortOf = (body: JsonObject): Effort | undefined => {
  const inner = body.output_config
  const value = body.reasoning_effort ?? (isJsonObject(inner) ? inner.effort : undefined)
  return rankOf(value) < 0 ? undefined : (value as Effort)
}

/** The most that a body of either format lets the answer be. */
export const limitOf = (body: JsonObject): number | undefined => {
  const limit = body.max_completion_tokens ?? body.max_tokens
  return typeof limit === 'number' ? limit : undefined
}

/**
 * The next lower effort that the model has a name for, else the next higher. Left out where it has none at
 * all.
 */
export const nearestEffort =
  (accepted: readonly Effort[]): FieldRule =>
  value => {
    const rank = rankOf(value)
    if (accepted.includes(value as Effort)) return null
    // Not to think is what a model does that cannot.
    if (value === 'none' && accepted.length === 0) return { action: null }
    if (rank < 0 || accepted.length === 0) return { action: 'left_out' }
    const thinking = accepted.filter(effort => effort !== 'none')
    const lower = thinking.findLast(effort => rankOf(effort) < rank)
    if (lower) return { action: 'lowered', value: lower }
    return thinking[0] ? { action: 'raised', value: thinking[0] } : { action: 'left_out' }
  }
