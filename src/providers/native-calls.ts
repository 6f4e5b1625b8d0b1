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
import { streamBodyOf } from './stream-body.ts'
import type { StreamPaces } from './stream-limits.ts'
import { StreamReader } from './stream-reader.ts'
import { isStreamedInside, type UpstreamStream } from './streams-inside.ts'
import type { StreamedBody, Transport } from './transport.ts'
import type { UpstreamType } from './upstream-type.ts'

export interface NativeCallsParts {
  readonly type: UpstreamType
  readonly base: URL
  /** How long streams may keep silent. */
  readonly paces: StreamPaces
  /** Which calls are streamed that nobody reads along. */
  readonly streamsInside: UpstreamStream
  readonly transport: Transport
  readonly headersOf: (made: Made) => Record<string, string>
}

/** Of a call whose request wants a stream that nobody reads, such as a mirror's: only the answer is of use. */
const silent: StreamSink = { write: () => undefined }

const streamHeaders = { accept: 'text/event-stream' }

/** Calls in the provider's own format, streamed where somebody reads along. */
export const createNativeCalls = (parts: NativeCallsParts) => {
  const { type, base, paces, streamsInside, transport, headersOf } = parts

  const bodyOf = ({ endpoint, body, model, maxOutputTokens }: UpstreamRequest): string => {
    const text = withModel(body, model)
    return withEdits(text, type.nativeEdits?.(endpoint, text, { model, maxOutputTokens }) ?? [])
  }

  const post = (
    { endpoint, model, apiKey, headers: forwarded, signal }: UpstreamRequest,
    text: string,
    stream?: StreamedBody,
  ): Promise<UpstreamOutcome> => {
    const made = stream ? streamHeaders : noHeaders
    const headers = headersOf({ apiKey, how: 'native', forwarded, made })
    return transport.send('POST', type.nativePath(base, endpoint, model), headers, text, signal, stream)
  }

  const stream = async (
    request: UpstreamRequest,
    endpoint: StreamedEndpoint,
    sink: StreamSink,
  ): Promise<UpstreamOutcome> => {
    const { text, showsUsage } = streamBodyOf(bodyOf(request), endpoint)
    const watch = new StallWatch(paces.limits(request.model))
    const reader = new StreamReader({ endpoint, sink, showsUsage, watch })
    const outcome = await post(request, text, { reader, watch })
    paces.record(request.model, outcome, watch.seen)
    return outcome
  }

  return (request: UpstreamRequest): Promise<UpstreamOutcome> => {
    const { endpoint, body } = request
    if (!canStream(endpoint)) return post(request, bodyOf(request))
    const isSilent = wantsStream(body) || isStreamedInside(streamsInside, endpoint, body)
    const sink = request.stream ?? (isSilent ? silent : undefined)
    return sink ? stream(request, endpoint, sink) : post(request, bodyOf(request))
  }
}
