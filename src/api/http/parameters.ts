import type { z } from 'zod'
import { BatonError } from '../../domain/errors.ts'

/**
 * A request's body or query, with faults in the wording of OpenAI's API. Throws `missing_required_parameter`,
 * `unknown_parameter` and `invalid_value`; `invalid_request` where it is no object at all.
 */
export const readParameters = <Schema extends z.ZodType>(
  schema: Schema,
  given: unknown,
): z.output<Schema> => {
  const read = schema.safeParse(given)
  if (read.success) return read.data
  throw refusalOf(read.error.issues[0]!, given)
}

const refusalOf = (issue: z.core.$ZodIssue, given: unknown): BatonError => {
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const path = [...pathOf(issue), ...unknown]
  if (path.length === 0) return new BatonError('invalid_request', 'Send a JSON object as the body.')
  const param = path.join('.')
  if (unknown.length > 0) {
    return new BatonError('unknown_parameter', `Unknown parameter: '${param}'.`, { param })
  }
  if (valueAt(given, issue.path) === undefined) {
    // The validator's own words for what is missing say no more than that.
    const expected = issue.message.startsWith('Invalid input') ? '' : `; ${issue.message}`
    return new BatonError(
      'missing_required_parameter',
      `Missing required parameter: '${param}'${expected}.`,
      {
        param,
      },
    )
  }
  return new BatonError('invalid_value', `Invalid value for '${param}': ${issue.message}.`, { param })
}

/** The names of pairs in `metadata` are the client's own, and may be the very thing that is too long. */
const pathOf = ({ path }: z.core.$ZodIssue): readonly string[] =>
  path[0] === 'metadata' ? ['metadata'] : path.map(String)

const valueAt = (given: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], given)
