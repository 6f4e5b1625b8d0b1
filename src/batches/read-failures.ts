import type { Dialect } from '../domain/endpoint.ts'
import { isJsonObject, type JsonObject } from '../json/json-object.ts'
import { lineNumberOf } from '../redis/keys.ts'
import { readLines } from './read-lines.ts'

/** A line that has no answer to use, as the file says of it. No message: that may quote the request. */
export interface FailedLine {
  readonly custom_id: string
  /** Its number in the input, from 1; null where the file does not have it. */
  readonly line: number | null
  readonly status_code: number | null
  readonly code: string
  /** Who failed it last, where that is kept. */
  readonly provider: string | null
}

export interface FailuresPage {
  /** The most first; of as much as was looked at. */
  readonly codes: readonly { readonly code: string; readonly count: number; readonly example: FailedLine }[]
  readonly lines: readonly FailedLine[]
  /** The byte at which the next page begins; null at the end. */
  readonly next: number | null
  /** Whether all of the file is in `codes`. */
  readonly isWhole: boolean
}

export interface FailuresQuery {
  readonly dialect: Dialect
  /** Where a line begins. */
  readonly from: number
  readonly limit: number
  readonly code?: string | undefined
}

/** Read for one page: some 30,000 failed lines, and 0.2 s. */
const mostBytes = 16 * 1024 * 1024
/** All files were held line by line when they were made. */
const anyLength = Number.POSITIVE_INFINITY

/** What failed, by an error file, or a results file, from a line on. The first page, from 0, counts codes. */
export const readFailures = async (
  source: AsyncIterable<Uint8Array>,
  { dialect, from, limit, code }: FailuresQuery,
): Promise<FailuresPage> => {
  const codes = new Map<string, { code: string; count: number; example: FailedLine }>()
  const lines: FailedLine[] = []
  let [at, next]: [number, number | null] = [from, null]
  for await (const group of readLines(source, { offset: from, line: 0 }, anyLength)) {
    for (const { bytes, end } of group) {
      const failed = failureOf(dialect, bytes!)
      if (failed !== null) {
        const known = codes.get(failed.code)
        codes.set(failed.code, {
          ...{ code: failed.code, count: (known?.count ?? 0) + 1, example: known?.example ?? failed },
        })
        if (code === undefined || code === failed.code) {
          if (lines.length < limit) lines.push(failed)
          else next ??= at
        }
      }
      at = end
    }
    if (at - from >= mostBytes || (next !== null && from > 0))
      return { codes: sorted(codes), lines, next: next ?? at, isWhole: false }
  }
  return { codes: sorted(codes), lines, next, isWhole: from === 0 }
}

const sorted = <Counted extends { readonly count: number }>(codes: ReadonlyMap<string, Counted>): Counted[] =>
  [...codes.values()].toSorted((a, b) => b.count - a.count)

/** As `renderLine` begins a line with an answer. Answers are long, and need not be parsed. */
const answered = /^\{"custom_id":"[^"\\]*","result":\{"type":"succeeded"/
const startBytes = 200

/** Null for a line that was answered. */
export const failureOf = (dialect: Dialect, bytes: Buffer): FailedLine | null => {
  if (dialect === 'anthropic' && answered.test(bytes.toString('latin1', 0, startBytes))) return null
  const json = JSON.parse(bytes.toString()) as JsonObject
  return dialect === 'openai' ? openaiFailure(json) : anthropicFailure(json)
}

const objectIn = (json: JsonObject, name: string): JsonObject => {
  const value = json[name]
  return isJsonObject(value) ? value : {}
}
const textIn = (json: JsonObject, name: string): string | null => {
  const value = json[name]
  return typeof value === 'string' ? value : null
}

const openaiFailure = (json: JsonObject): FailedLine => {
  const [response, own] = [objectIn(json, 'response'), objectIn(json, 'error')]
  const error = objectIn(objectIn(response, 'body'), 'error')
  const core = /^batch_req_([0-9a-z]{26})$/.exec(textIn(json, 'id') ?? '')?.[1]
  const status = typeof response.status_code === 'number' ? response.status_code : null
  return {
    custom_id: textIn(json, 'custom_id') ?? '',
    line: core === undefined ? null : lineNumberOf(`job_${core}`),
    status_code: status,
    code: textIn(own, 'code') ?? textIn(error, 'code') ?? textIn(error, 'type') ?? `status_${status}`,
    provider: textIn(objectIn(own, 'last_error'), 'provider'),
  }
}

/** What never ran has no error, in Anthropic's words: its type says so. */
const anthropicFailure = (json: JsonObject): FailedLine | null => {
  const result = objectIn(json, 'result')
  const type = textIn(result, 'type') ?? 'unknown'
  if (type === 'succeeded') return null
  return {
    custom_id: textIn(json, 'custom_id') ?? '',
    line: null,
    status_code: null,
    code: textIn(objectIn(objectIn(result, 'error'), 'error'), 'type') ?? type,
    provider: textIn(objectIn(result, 'last_error'), 'provider'),
  }
}
