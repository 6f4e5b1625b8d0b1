import { strict as assert } from 'node:assert'
import type { Json } from '../test-api.ts'

export interface PageEvent {
  readonly event: string
  readonly data: Json
}

export interface OpenPage extends AsyncDisposable {
  readonly events: readonly PageEvent[]
  /** Resolves when the server ends it. */
  readonly ended: Promise<void>
  /** The data of the last event of that name; undefined before the first. */
  last(event: string): Json
  count(event: string): number
}

/** Opens the stream of an operator's page. */
export const openPage = async (url: string, topics: string, headers = {}): Promise<OpenPage> => {
  const gone = new AbortController()
  const response = await fetch(`${url}/v1/admin/events?topics=${encodeURIComponent(topics)}`, {
    headers,
    signal: gone.signal,
  })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  const events: PageEvent[] = []
  const read = async (): Promise<void> => {
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const blocks = text.split('\n\n')
      text = blocks.pop()!
      for (const block of blocks.filter(each => !each.startsWith(':'))) {
        const match = /^event: (?<event>[a-z]+)\ndata: (?<data>.*)$/.exec(block)
        assert(match, `not an event: ${JSON.stringify(block)}`)
        events.push({ event: match.groups!.event!, data: JSON.parse(match.groups!.data!) })
      }
    }
  }
  const ended = read()
  ended.catch(() => undefined)
  const named = (event: string): PageEvent[] => events.filter(each => each.event === event)
  return {
    events,
    ended,
    last: event => named(event).at(-1)?.data,
    count: event => named(event).length,
    [Symbol.asyncDispose]: async () => {
      gone.abort()
      await ended.catch(() => undefined)
    },
  }
}
