import type { JsonObject } from '../../json/json-object.ts'
import type { ProviderError } from '../job.ts'
import type { Redact } from '../redact.ts'
import type { UpstreamAnswer, UpstreamBreak, UpstreamOutcome } from '../upstream.ts'
import { asRecord } from './json-shape.ts'
import type { Verdict } from './verdict.ts'

/** Longer messages are cut, because a job keeps those of all its calls. */
const longestMessage = 500
/** How much of a text is read: enough for a full message after redaction. */
const longestRead = 4_000
const deepest = 5

/**
 * Where the words may stand, the most telling first: vendors' own shapes, RFC 9457, OAuth, FastAPI, gateways
 * in front.
 */
const messageNames = [
  'message',
  'Message',
  'error_description',
  'detail',
  'error',
  'msg',
  'errors',
  'faultstring',
  'fault',
  'description',
  'reason',
  'title',
] as const

const joined = (loc: unknown): string => (Array.isArray(loc) ? `${loc.join('.')}: ` : '')

const messageIn = (value: unknown, depth = 0): string | null => {
  if (typeof value === 'string') return value.trim() === '' ? null : value
  if (depth > deepest) return null
  if (Array.isArray(value)) {
    for (const item of value.slice(0, 5)) {
      const found = messageIn(item, depth + 1)
      if (found !== null) return found
    }
    return null
  }
  const record = asRecord(value)
  if (record === null) return null
  // The object that wraps the error comes before the members beside it.
  const inner = asRecord(record.error) ?? (Array.isArray(record.error) ? record.error : null)
  const own = inner === null ? null : messageIn(inner, depth + 1)
  if (own !== null) return own
  for (const name of messageNames) {
    const found = messageIn(record[name], depth + 1)
    if (found !== null) return name === 'msg' ? joined(record.loc) + found : found
  }
  return null
}

const isCode = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 100 && /^[A-Za-z][\w.:/#-]*$/.test(value)

/** The most specific of the codes and types that a body names. */
const codeIn = (body: JsonObject): string | null => {
  const error = asRecord(body.error)
  const places = [asRecord(error?.details)?.error_code, error?.code, body.code, error?.type, error?.status]
  const outer = [body.error, body.__type, body.object === 'error' ? body.type : undefined, body.error_type]
  return [...places, ...outer].find(isCode) ?? null
}

/** A router passes on what the provider behind it said. */
const rawBehind = (body: JsonObject): string | null => {
  const raw = asRecord(asRecord(body.error)?.metadata)?.raw
  if (typeof raw !== 'string') return null
  return messageIn(parse(raw)) ?? raw
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The error event of a stream that was not asked for. */
const eventOf = (text: string): unknown => {
  const data =
    /^event: ?error\r?\ndata: ?(.+)$/m.exec(text)?.[1] ?? /^data: ?(\{.*"error".*)$/m.exec(text)?.[1]
  return data === undefined ? undefined : parse(data)
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  nbsp: ' ',
}

/**
 * The visible text of a page. No match runs from one `<` past the next, so thousands of unclosed tags cost no
 * more.
 */
const textOfPage = (html: string): string =>
  html
    .replace(/<(script|style|svg)\b(?:(?!<\1\b)[\s\S])*?<\/\1>/gi, ' ')
    .replace(/<[^<>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name: string) => entities[name]!)

/** The start of an answer that is not JSON; the visible text where it is a page. */
export const plainWordsOf = (text: string): string => {
  const start = text.slice(0, 10 * longestRead)
  return (/^\s*</.test(start) ? textOfPage(start) : start).trim()
}

const unreadWords: Readonly<Record<NonNullable<UpstreamAnswer['unread']>, string>> = {
  undecodable: 'The answer came in an encoding that could not be undone.',
  too_large: 'The answer is larger than `max_response_bytes` of its provider allows.',
}

const wordsOfAnswer = ({ status, text, json, headers, unread }: UpstreamAnswer): ProviderError | null => {
  if (unread !== undefined) return { code: unread, message: unreadWords[unread] }
  const found = json === undefined ? eventOf(text.slice(0, longestRead)) : json
  const body = asRecord(found) ?? asRecord(Array.isArray(found) ? found[0] : null)
  const first = asRecord(Array.isArray(body?.choices) ? body.choices[0] : null)
  if (status < 300 && body !== null && body.error === undefined && first?.error === undefined) return null
  const holder = first?.error === undefined ? body : first
  const type = headers['x-amzn-errortype']?.replace(/^.*#|:.*$/g, '')
  const code = (holder && codeIn(holder)) ?? (isCode(type) ? type : null) ?? ''
  const message = messageIn(holder)
  if (holder !== null && message !== null) {
    const raw = rawBehind(holder)
    return { code, message: raw === null ? message : `${message}: ${raw}` }
  }
  if (status < 300) return null
  return { code, message: plainWordsOf(text) || 'The answer has no body.' }
}

const breaks: Readonly<Record<UpstreamBreak['reason'], string>> = {
  dns: 'The name of the provider could not be resolved',
  connect: 'No connection to the provider could be made',
  tls: 'No TLS connection to the provider could be made',
  reset: 'The connection ended before the answer was whole',
  timeout: 'No whole answer came within the timeout',
  first_token_timeout: 'The stream brought no content in its time',
  idle_timeout: 'The stream fell silent in the middle of the answer',
  cut_short: 'The stream ended before the answer did',
  error_event: 'The stream told an error in the middle of the answer',
  protocol: 'The answer could not be read',
  credentials: 'There are no credentials',
  aborted: 'The call was dropped',
}

const causeOf = (cause: unknown, depth = 0): string | null => {
  if (typeof cause !== 'object' || cause === null || depth > 3) return null
  const { code, cause: deeper } = cause as { code?: unknown; cause?: unknown }
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : causeOf(deeper, depth + 1)
}

const wordsOfBreak = ({ reason, cause, error }: UpstreamBreak): ProviderError => {
  const told = asRecord(error)
  const message = messageIn(told)
  if (told !== null && message !== null) return { code: codeIn(told) ?? '', message }
  // Our own sentence, which says more than any code.
  if (reason === 'credentials' && cause instanceof Error) return { code: reason, message: cause.message }
  const code = causeOf(cause)
  return { code: reason, message: `${breaks[reason]}${code === null ? '' : ` (${code})`}.` }
}

/** On one line, without what a terminal would take for a command, and not longer than anybody reads. */
const tidy = (message: string, redact: Redact): string => {
  const line = message
    .slice(0, longestRead)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replace(/[\u0000-\u0020\u007f-\u009f\u2028\u2029]+/g, ' ')
    .trim()
  const shown = redact(line)
  if (shown.length <= longestMessage) return shown
  return `${shown.slice(0, longestMessage - 1).replace(/[\ud800-\udbff]$/, '')}\u2026`
}

/**
 * The provider's own error for a failed call, for the owner of the job: never for a log, as it may quote the
 * prompt. Null for an answer without an error.
 */
export const providerErrorOf = (
  outcome: UpstreamOutcome,
  verdict: Verdict,
  redact: Redact,
): ProviderError | null => {
  if (verdict.kind === 'ok') return null
  const words = outcome.kind === 'break' ? wordsOfBreak(outcome) : wordsOfAnswer(outcome)
  if (words === null) {
    if (verdict.kind === 'refused') return null
    return { code: verdict.reason, message: `The answer holds nothing that can be used (${verdict.reason}).` }
  }
  return { code: redact(words.code) || verdict.reason, message: tidy(words.message, redact) }
}
