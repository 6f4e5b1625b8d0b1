import type { JsonObject } from '../../json/json-object.ts'
import type { UpstreamDialect } from '../endpoint.ts'
import type { UpstreamAnswer } from '../upstream.ts'
import { type ErrorFacts, errorFacts, factsOf, startOf } from './error-facts.ts'
import { asCode, asRecord, firstRecord, isFilledText } from './json-shape.ts'
import { parseGoDuration } from './retry-after.ts'

type Reader = (answer: UpstreamAnswer) => ErrorFacts | null

/** Reads the error of an answer outside 2xx, in the shape that its API uses; null when no API wrote it. */
export const factsOfAnswer = (answer: UpstreamAnswer, dialect: UpstreamDialect): ErrorFacts | null =>
  (readers[dialect] ?? readPlain)(answer)

/** Some APIs of their own, such as DashScope's, have code and message at the top; a page in between has one of them at most. */
const readPlain: Reader = ({ json }) => {
  const body = asRecord(json)
  const isBare = isFilledText(body?.code) && isFilledText(body?.message)
  return errorFacts(json) ?? (isBare ? factsOf(body!) : null)
}

/** `google.rpc.Status`, which the OpenAI-compatible paths wrap in a list; a token server's answer has OAuth's shape. */
const readGoogle: Reader = ({ json }) => {
  const body = asRecord(json) ?? firstRecord(json)
  const error = asRecord(body?.error)
  if (error === null) return errorFacts(body)
  const details = Array.isArray(error.details)
    ? error.details.map(asRecord).filter(detail => detail !== null)
    : []
  const facts = factsOf({ ...error, details: { error_code: reasonIn(details) }, type: error.status })
  const retryAfterMs = retryDelayIn(details)
  return facts === null || retryAfterMs === null ? facts : { ...facts, retryAfterMs }
}

const isOfType = (detail: JsonObject, type: string): boolean =>
  String(detail['@type']).endsWith(`/google.rpc.${type}`)

const reasonIn = (details: readonly JsonObject[]): unknown =>
  details.find(detail => isOfType(detail, 'ErrorInfo'))?.reason

/** A protobuf duration: `37s`, `0.210430s`. */
const retryDelayIn = (details: readonly JsonObject[]): number | null => {
  const delay = details.find(detail => isOfType(detail, 'RetryInfo'))?.retryDelay
  return typeof delay === 'string' ? parseGoDuration(delay) : null
}

/** AWS names the error in a header, some front ends in `__type`; either may bring a namespace or a URL along. */
const readBedrock: Reader = ({ json, headers }) => {
  const body = asRecord(json)
  const written = headers['x-amzn-errortype'] ?? body?.__type
  const name = typeof written === 'string' ? asCode(written.replace(/^.*#/, '').replace(/:.*$/, '')) : null
  const text = body?.message ?? body?.Message
  const message = typeof text === 'string' ? startOf(text) : ''
  return name === null && message === ''
    ? errorFacts(json)
    : { names: name === null ? [] : [name], message, status: null }
}

const readCohere: Reader = ({ json }) => {
  const body = asRecord(json)
  return body !== null && isFilledText(body.message) ? factsOf({ message: body.message }) : errorFacts(json)
}

/**
 * Three layers of Mistral's answer in shapes of their own: the gateway (`{"detail": "Unauthorized"}`, `{"message": …}`),
 * the validation (`{"detail": [{"type", "loc", "msg"}]}`) and the API, which may wrap the latter in `message`.
 * A gateway's 404 and 405 are about the path, so no API wrote them.
 */
const readMistral: Reader = ({ json, status }) => {
  const body = asRecord(json)
  if (body === null) return null
  const detail = body.detail ?? asRecord(body.message)?.detail
  if (typeof detail === 'string')
    return status === 404 || status === 405 ? null : factsOf({ message: detail })
  const fault = firstRecord(detail)
  if (fault !== null) return factsOf({ code: fault.type, message: fault.msg })
  return isFilledText(body.message) ? factsOf(body) : errorFacts(json)
}

const readers: Partial<Record<UpstreamDialect, Reader>> = {
  google: readGoogle,
  bedrock: readBedrock,
  cohere: readCohere,
  mistral: readMistral,
}
