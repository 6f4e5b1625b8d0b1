import { errorTypeOf, isErrorOf } from '../domain/classify/error-shape.ts'
import { plainWordsOf } from '../domain/classify/provider-error.ts'
import type { Dialect } from '../domain/endpoint.ts'
import { isJsonObject, type JsonObject } from '../json/json-object.ts'

/** How much of an answer that is not JSON, such as a proxy's page, is shown. */
const longestMessage = 1_000

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The body of an answer that is not 2xx, as JSON text in the shape of the batch's clients. One that has it
 * already, as a provider's own answer to a request in its own format does, comes back as it is; any other is put
 * into it.
 */
export const errorAnswerBody = (
  dialect: Dialect,
  status: number,
  body: string,
  requestId: string,
): string => {
  const json = parse(body)
  if (isJsonObject(json) && isShapedFor(dialect, json)) return body
  const { message, type, code, param } = factsOf(json, status, body)
  if (dialect === 'openai') {
    return JSON.stringify({
      error: {
        message,
        type: type ?? errorTypeOf(dialect, status),
        param: param ?? null,
        code: code ?? null,
      },
    })
  }
  // OpenAI's types are not Anthropic's, whose clients read from the type whether to send the request again.
  const error = { type: fromAnthropic(json) && type ? type : errorTypeOf(dialect, status), message }
  return JSON.stringify({ type: 'error', error, request_id: requestId })
}

/** In these files Anthropic's errors name their request, too. */
const isShapedFor = (dialect: Dialect, json: JsonObject): boolean =>
  isErrorOf(dialect, json) && (dialect === 'openai' || json.request_id !== undefined)

const fromAnthropic = (json: unknown): boolean => isJsonObject(json) && json.type === 'error'

interface Facts {
  readonly message: string
  readonly type: string | undefined
  readonly code: string | undefined
  readonly param: string | undefined
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined

/**
 * Reads `{error: {…}}`, `{error: "text"}`, the bare `{object: "error", message}`, `{detail: "text"}`, and no JSON
 * at all.
 */
const factsOf = (json: unknown, status: number, body: string): Facts => {
  const outer = isJsonObject(json) ? json : {}
  const inner = isJsonObject(outer.error) ? outer.error : outer
  const message =
    textOf(inner.message) ??
    textOf(outer.error) ??
    textOf(outer.detail) ??
    textOf((json === undefined ? plainWordsOf(body) : body.trim()).slice(0, longestMessage)) ??
    `The provider answered ${status} without a body.`
  return { message, type: textOf(inner.type), code: textOf(inner.code), param: textOf(inner.param) }
}
