import { BatonError, errorIn, parsed, unexpected } from './client-error.ts'
import type { CallOptions, JobCalls, RequestBody, SubmitOptions } from './job-calls.ts'
import { type ServerEvent, serverEvents } from './server-events.ts'
import { pause, type Transport } from './transport.ts'

/** An event of a job's stream, in the format of its endpoint. */
export interface StreamEvent<Data = Readonly<Record<string, unknown>>> {
  /** What a reader that comes back names as the last that it has. */
  readonly id: string
  /** `message` where the format names none; `baton.restart` where a stream begins anew. */
  readonly event: string
  readonly data: Data
  /** The piece of the answer's text in it, in whichever format; often empty. */
  readonly text: string
}

export interface StreamOptions extends CallOptions {
  /** Goes on behind this event. */
  readonly lastEventId?: string
}

/** Of all formats together, as far as text goes. */
interface AnyChunk {
  readonly type?: string
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null } | null
    readonly text?: string
  }[]
  readonly delta?: string | { readonly type?: string; readonly text?: string } | null
}

const textIn = (data: AnyChunk): string => {
  const [choice] = data.choices ?? []
  if (choice) return choice.delta?.content ?? choice.text ?? ''
  if (data.type === 'response.output_text.delta' && typeof data.delta === 'string') return data.delta
  return typeof data.delta === 'object' && data.delta?.type === 'text_delta' ? (data.delta.text ?? '') : ''
}

const doneMark = '[DONE]'

/** The API says every ten seconds that it is there, unless it is told otherwise: who hears nothing for so long may have lost it. */
const silenceMs = 60_000

/** What stands at the end of streams in Anthropic's format and in that of responses. OpenAI's others have the mark. */
const lastTypes = new Set(['message_stop', 'response.completed', 'response.incomplete'])

const failureIn = ({ event }: ServerEvent, data: unknown): BatonError | null => {
  const { type, response, ...flat } = (data ?? {}) as Record<string, unknown>
  const told =
    errorIn(data) ??
    errorIn(response) ??
    (event === 'error' || type === 'error' ? errorIn({ error: flat }) : null)
  return told && new BatonError(told.code, told.message, { param: told.param })
}

/**
 * The events of a stream up to its end. A stream that is cut is gone on with behind the last event that was read; one that
 * fails throws BatonError with the code of its failure.
 */
async function* eventsOf<Data>(
  transport: Transport,
  id: string,
  options: StreamOptions,
): AsyncGenerator<StreamEvent<Data>> {
  const { signal } = options
  let last = options.lastEventId ?? ''
  let cuts = 0
  for (;;) {
    const body: ReadableStream<Uint8Array> | null = await transport.send(
      'GET',
      `/v1/jobs/${encodeURIComponent(id)}/stream`,
      {
        headers: { accept: 'text/event-stream', ...(last !== '' && { 'last-event-id': last }) },
        signal,
        read: async response => {
          if (response.status === 204) return null
          if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
            throw unexpected(response)
          return response.body
        },
      },
    )
    // The last event was the last there is.
    if (body === null) return
    try {
      for await (const event of serverEvents(body, silenceMs)) {
        if (event.data === doneMark) return
        const data = parsed(event.data)
        const failure = failureIn(event, data)
        if (failure) throw failure
        last = event.id
        cuts = 0
        yield { id: event.id, event: event.event, data: data as Data, text: textIn((data ?? {}) as AnyChunk) }
        if (lastTypes.has((data as AnyChunk | null)?.type ?? '')) return
      }
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (error instanceof BatonError) throw error
    }
    // It was cut. The pause is for what cuts each at once.
    await pause(Math.min(4_000, 50 * 2 ** cuts++), signal)
  }
}

export interface StreamCalls {
  /** Of a job that was submitted with `stream: true`, from its beginning or behind an event. */
  stream<Data = Readonly<Record<string, unknown>>>(
    id: string,
    options?: StreamOptions,
  ): AsyncGenerator<StreamEvent<Data>>
  /** Submits the request with `stream: true`. `onJob` is told the job's id, by which another reader can go on. */
  stream<Data = Readonly<Record<string, unknown>>>(
    body: RequestBody,
    options?: SubmitOptions & { readonly onJob?: (id: string) => void },
  ): AsyncGenerator<StreamEvent<Data>>
}

export const createStreamCalls = (transport: Transport, jobs: Pick<JobCalls, 'submit'>): StreamCalls => ({
  async *stream<Data>(
    of: string | RequestBody,
    {
      onJob,
      lastEventId,
      ...options
    }: SubmitOptions & StreamOptions & { readonly onJob?: (id: string) => void } = {},
  ): AsyncGenerator<StreamEvent<Data>> {
    if (typeof of === 'string') return yield* eventsOf<Data>(transport, of, { ...options, lastEventId })
    const { id } = await jobs.submit({ ...of, stream: true }, options)
    onJob?.(id)
    yield* eventsOf<Data>(transport, id, { signal: options.signal })
  },
})
