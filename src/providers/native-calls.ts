import { noHeaders } from '../domain/request-headers.ts'
import { canStream, type StreamedEndpoint } from '../domain/streaming/answer-fold.ts'
import type { StreamSink } from '../domain/streaming/stream-sink.ts'
import { wantsStream } from '../domain/streaming/stream-wishes.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import { withEdits } from '../json/edits.ts'
import type { Made } from './call-headers.ts'
import { withModel } from './native-body.ts'
import type { UpstreamRequest } from './provider.ts'
import { StallWatch } from './stall-watch.ts'
import { type StreamBody, streamBodyOf } from './stream-body.ts'
import type { StreamPaces } from './stream-limits.ts'
import { StreamReader } from './stream-reader.ts'
import { StreamingHabits, streamRefusalOf } from './streaming-habits.ts'
import type { UpstreamStream } from './streams-inside.ts'
import type { StreamedBody, Transport } from './transport.ts'
import type { UpstreamType } from './upstream-type.ts'

export interface NativeCallsParts {
  readonly type: UpstreamType
  readonly base: URL
  /** How long streams may keep silent. */
  readonly paces: StreamPaces
  /** Which calls are streamed that nobody reads along. */
  readonly streamsInside: UpstreamStream
  readonly transport: Pick<Transport, 'send'>
  readonly headersOf: (made: Made) => Record<string, string>
  readonly now: () => number
}

/** Of a call whose request wants a stream that nobody reads, such as a mirror's: only the answer is of use. */
const silent: StreamSink = { write: () => undefined }

const streamHeaders = { accept: 'text/event-stream' }

/** Calls in the provider's own format, streamed where somebody reads along, or where that is of use. */
export const createNativeCalls = (parts: NativeCallsParts) => {
  const { type, base, paces, streamsInside, transport, headersOf } = parts
  const habits = new StreamingHabits(parts.now)

  const bodyOf = ({ endpoint, body, model, maxOutputTokens }: UpstreamRequest): string => {
    const text = withModel(body, model)
    return withEdits(text, type.nativeEdits?.(endpoint, text, { model, maxOutputTokens }) ?? [])
  }

  const post = async (
    { endpoint, model, apiKey, headers: forwarded, signal }: UpstreamRequest,
    text: string,
    stream?: StreamedBody,
  ): Promise<UpstreamOutcome> => {
    const made = stream ? streamHeaders : noHeaders
    const headers = headersOf({ apiKey, how: 'native', forwarded, made })
    const startedAt = performance.now()
    const path = type.nativePath(base, endpoint, model)
    const outcome = await transport.send('POST', path, headers, text, signal, stream)
    habits.took(endpoint, model, performance.now() - startedAt)
    return outcome
  }

  const streamOf = async (
    request: UpstreamRequest,
    endpoint: StreamedEndpoint,
    sink: StreamSink,
    { text, showsUsage }: StreamBody,
  ): Promise<UpstreamOutcome> => {
    const watch = new StallWatch(paces.limits(request.model))
    const reader = new StreamReader({ endpoint, sink, showsUsage, watch })
    const outcome = await post(request, text, { reader, watch })
    paces.record(request.model, outcome, watch.seen)
    return outcome
  }

  /** A server that does not take the question for the usage is asked again without, if the client did not ask. */
  const stream = async (
    request: UpstreamRequest,
    endpoint: StreamedEndpoint,
    sink: StreamSink,
  ): Promise<UpstreamOutcome> => {
    const { model } = request
    const text = bodyOf(request)
    const body = streamBodyOf(text, endpoint, habits.takesOptions(endpoint, model))
    const outcome = await streamOf(request, endpoint, sink, body)
    if (body.showsUsage || streamRefusalOf(outcome) !== 'options') return outcome
    const again = await streamOf(request, endpoint, sink, streamBodyOf(text, endpoint, false))
    habits.broughtWithout('options', endpoint, model, again)
    return again
  }

  /** A refusal of the stream is none of the request, which did not ask for one: it is sent again as it is, in the same call. */
  const streamInside = async (
    request: UpstreamRequest,
    endpoint: StreamedEndpoint,
  ): Promise<UpstreamOutcome> => {
    const { model } = request
    const text = bodyOf(request)
    const outcome = await streamOf(request, endpoint, silent, streamBodyOf(text, endpoint))
    habits.broughtInside(endpoint, model, outcome)
    if (streamRefusalOf(outcome) === null) return outcome
    const again = await post(request, text)
    habits.broughtWithout('stream', endpoint, model, again)
    return again
  }

  return (request: UpstreamRequest): Promise<UpstreamOutcome> => {
    const { endpoint, body, model } = request
    if (!canStream(endpoint)) return post(request, bodyOf(request))
    const sink = request.stream ?? (wantsStream(body) ? silent : undefined)
    if (sink) return stream(request, endpoint, sink)
    return habits.streamsInside(streamsInside, endpoint, model, body)
      ? streamInside(request, endpoint)
      : post(request, bodyOf(request))
  }
}
