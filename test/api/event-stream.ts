import { strict as assert } from 'node:assert'
import type { Json, TestApi } from './test-api.ts'

export interface StreamEvent {
  readonly id: string
  readonly event: string
  readonly data: Json
}

/** A stream of events as its reader has it so far. */
export interface EventReader {
  readonly response: Response
  readonly events: readonly StreamEvent[]
  /** Lines that are no field: what keeps the connection alive. */
  readonly comments: number
  /** Resolves at the end of the stream; rejects when it breaks off. */
  readonly ended: Promise<void>
  leave(): void
}

/** Stricter than the HTML standard asks readers to be: every field as it is written, each of an event exactly once. */
const parseBlock = (block: string): StreamEvent | 'comment' | 'retry' => {
  if (block === ':') return 'comment'
  if (/^retry: [1-9]\d{2,4}$/.test(block)) return 'retry'
  const match = /^id: (?<id>[\x21-\x7e]+)\nevent: (?<event>job\.[a-z]+)\ndata: (?<data>\{.*\})$/.exec(block)
  assert(match, `not an event: ${JSON.stringify(block)}`)
  const { id, event, data } = match.groups as { id: string; event: string; data: string }
  return { id, event, data: JSON.parse(data) }
}

/** Opens the stream of a job and reads it. Throws when the answer is none. */
export const readEvents = async (
  { url }: Pick<TestApi, 'url'>,
  id: string,
  headers: Record<string, string> = {},
): Promise<EventReader> => {
  const gone = new AbortController()
  const response = await fetch(`${url}/v1/jobs/${id}`, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: gone.signal,
  })
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  const events: StreamEvent[] = []
  let comments = 0
  const read = async (): Promise<void> => {
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream('utf-8', { fatal: true }))) {
      text += chunk
      const blocks = text.split('\n\n')
      text = blocks.pop()!
      for (const block of blocks.map(parseBlock)) {
        if (block === 'comment') comments++
        else if (block !== 'retry') events.push(block)
      }
    }
    assert.equal(text, '', 'the stream broke off within an event')
  }
  const ended = read()
  // Whoever leaves is not interested.
  ended.catch(() => undefined)
  return {
    response,
    events,
    get comments() {
      return comments
    },
    ended,
    leave: () => gone.abort(),
  }
}

/** What the events told, in short. */
export const told = (reader: EventReader): string[] =>
  reader.events.map(({ event, data }) => `${event} ${data.attempts.length}`)
