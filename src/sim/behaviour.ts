import { z } from 'zod'

/** Faults that are an error answer of the provider, judged by its status and body. */
export const errorKinds = [
  'throttle', // 429 with rate-limit headers
  'error-500',
  'error-502-html', // a gateway's page
  'error-503', // unavailable without saying that it is load
  'overloaded', // OpenAI 503 server_is_overloaded, Anthropic 529
  'html-error', // 403 page of a firewall at the edge
  'insufficient_quota', // OpenAI 429, Anthropic 400: the account is empty
  'bad-key',
  'context-too-long',
  'unknown-model',
  'bad-request',
] as const

/** Faults of the connection or of an answer that began well. */
const answerFaultKinds = [
  'hang', // accepted, never answered
  'reset', // RST once the request was read
  'reset-mid-body', // RST in the middle of a 200
  'truncated', // a whole 200 whose JSON is cut in half
  'slow-body', // second half of the body comes late
  'refusal', // 200, content filter
  'empty', // 200 without any choice or content
] as const

/** Faults of a stream. What meets a call that is not streamed is a good answer. */
export const streamFaultKinds = [
  'stream-stall', // headers, and nothing more
  'stream-stall-midway', // falls silent in the middle of the answer
  'stream-reset', // headers, then RST; `reset-mid-body` comes after content
  'stream-error-first', // the first event is an error
  'stream-error-after-role', // before any content
  'stream-error-midway', // after content
  'stream-json-error', // a 200 that is an error in JSON
  'stream-no-body', // a 200 without a byte
  'stream-no-finish', // ends well, though nothing says why
  'stream-no-done', // without the mark that ends a stream
  'stream-crlf', // lines end in CRLF
  'stream-packets', // in packets of few bytes, cut anywhere
  'stream-slow-first', // the first content comes late
  'stream-slow-tokens', // so does every piece of it
] as const

export const faultKinds = [...errorKinds, ...answerFaultKinds, ...streamFaultKinds] as const

export type ErrorKind = (typeof errorKinds)[number]
/** Errors told as JSON in words that do not depend on the state of a limit. */
export type JsonErrorKind = Exclude<ErrorKind, 'throttle' | 'error-502-html' | 'html-error'>
export type FaultKind = (typeof faultKinds)[number]

export const isFaultKind = (name: string): name is FaultKind =>
  (faultKinds as readonly string[]).includes(name)

/** True for outcomes that only a stream can meet. */
export const isOfStreams = (outcome: string): boolean =>
  (streamFaultKinds as readonly string[]).includes(outcome)

/** True for the outcomes whose whole answer is an error that no limit has a part in. */
export const isToldAsError = (outcome: string): outcome is Exclude<ErrorKind, 'throttle'> =>
  outcome !== 'throttle' && (errorKinds as readonly string[]).includes(outcome)

const ms = z.number().nonnegative()

const latency = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fixed'), ms }),
  z.strictObject({ kind: z.literal('uniform'), minMs: ms, maxMs: ms }),
  z.strictObject({ kind: z.literal('lognormal'), medianMs: ms, sigma: z.number().nonnegative() }),
])

const throttle = z
  .strictObject({
    rpm: z.number().positive().optional(),
    rps: z.number().positive().optional(),
    /** Requests that may come at once; a second's worth when absent, and at least one. */
    burst: z.int().positive().optional(),
    tokensPerMinute: z.number().positive().optional(),
    /** Calls that are served at a time. No header tells it. */
    atOnce: z.int().positive().optional(),
    /** Tells nothing of it in headers but how long to stay away. */
    silent: z.boolean().optional(),
  })
  .refine(limits => limits.rpm === undefined || limits.rps === undefined, 'give rpm or rps, not both')

const fault = z.strictObject({
  kind: z.enum(faultKinds),
  /** The share of calls that meet it. */
  rate: z.number().min(0).max(1).default(1),
  /** As in a script: how long to stay away, or how late the body is. */
  ms: ms.optional(),
})

/** At what pace streams come; all of it at once where nothing is said. */
const streaming = z.strictObject({
  /** From the headers to the first content. */
  firstTokenMs: ms.default(0),
  /** Between two pieces of the content. */
  tokenGapMs: ms.default(0),
  /** Text answers have so many tokens of four characters, streamed or not. */
  tokens: z.int().positive().optional(),
  /** Which error the faults that are an error event tell. */
  error: z.enum(errorKinds).exclude(['throttle', 'error-502-html', 'html-error']).default('overloaded'),
})

/** Where a behaviour says nothing of streams. */
export const atOncePace: z.output<typeof streaming> = streaming.parse({})

/** How a simulated provider treats the calls that bring no script of their own. */
export const behaviourSchema = z.strictObject({
  latency: latency.optional(),
  throttle: throttle.optional(),
  stream: streaming.optional(),
  /** Several faults share one draw, so their rates add up. */
  fault: z.union([fault.transform(one => [one]), z.array(fault)]).default([]),
})

/** What a caller gives: `{}` is a provider that always answers at once. */
export type BehaviourInput = z.input<typeof behaviourSchema>
export type Behaviour = z.output<typeof behaviourSchema>
export type Latency = z.output<typeof latency>
export type ThrottleLimits = z.output<typeof throttle>
export type Streaming = z.output<typeof streaming>
export type Fault = z.output<typeof fault>
