import { chunksOf } from './chunks.ts'

/** An event of a stream, as the HTML standard has it: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export interface ServerEvent {
  /** The last that was told, also by an earlier event; empty before there is one. */
  readonly id: string
  /** `message` where the stream names none. */
  readonly event: string
  readonly data: string
}

/** Lines end in LF, CRLF or CR; one that is not ended is none. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of chunks) {
    rest += chunk
    let from = 0
    for (;;) {
      const end = rest.slice(from).search(/[\r\n]/)
      // A CR at the end may be half of a CRLF.
      if (end < 0 || (rest[from + end] === '\r' && from + end === rest.length - 1)) break
      yield rest.slice(from, from + end)
      from += end + (rest.startsWith('\r\n', from + end) ? 2 : 1)
    }
    rest = rest.slice(from)
  }
}

async function* textOf(body: ReadableStream<Uint8Array>, silenceMs: number): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  for await (const chunk of chunksOf(body, silenceMs)) yield decoder.decode(chunk, { stream: true })
}

/** Rejects when the body breaks off, or is silent for so long. An event that the end cuts off is left out. */
export async function* serverEvents(
  body: ReadableStream<Uint8Array>,
  silenceMs: number,
): AsyncGenerator<ServerEvent> {
  let id = ''
  let event = ''
  let data: string[] = []
  for await (const line of linesOf(textOf(body, silenceMs))) {
    if (line === '') {
      if (data.length > 0) yield { id, event: event || 'message', data: data.join('\n') }
      event = ''
      data = []
      continue
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') data.push(value)
    else if (field === 'event') event = value
    else if (field === 'id' && !value.includes('\0')) id = value
  }
}
