import { createServer, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sendBlob } from '../../src/cli/send-blob.ts'

/** A Blob of which a part is there to be read, and the rest when it is given. */
class Fed extends Blob {
  give: (bytes: number) => void = () => undefined
  readonly #start: number
  override readonly size: number

  constructor(start: number, size: number) {
    super([], { type: 'application/jsonl' })
    this.#start = start
    this.size = size
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream({
      start: controller => {
        this.give = bytes => controller.enqueue(new Uint8Array(bytes))
        this.give(this.#start)
      },
    })
  }
}

/** A server that has seen enough at the first bytes. */
const openServer = async (onFirst: (socket: Socket) => void): Promise<string> => {
  const server = createServer(socket =>
    socket.on('error', () => undefined).once('data', () => onFirst(socket)),
  )
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

const send = (url: string, body: Blob, signal = new AbortController().signal): Promise<Response> =>
  sendBlob(`${url}/v1/files`, { method: 'POST', headers: {}, body, signal })

const refusal = 'HTTP/1.1 413 Payload Too Large\r\ncontent-length: 6\r\ndate: today\r\n\r\nenough'

describe('sending a blob', () => {
  test('reads the answer of a server that closed, when the next write fails before it is read', async () => {
    const body = new Fed(1_000, 1_000_000)
    const url = await openServer(socket =>
      socket.write(refusal, () => {
        socket.resetAndDestroy()
        // Written before the connection is looked at again.
        body.give(100_000)
      }),
    )
    const response = await send(url, body)
    expect([response.status, response.headers.get('date'), await response.text()]).toEqual([
      413,
      'today',
      'enough',
    ])
  })

  test('rejects with the error of a connection that broke without an answer', async () => {
    const body = new Fed(1_000, 1_000_000)
    const url = await openServer(socket => {
      socket.resetAndDestroy()
      body.give(100_000)
    })
    await expect(send(url, body)).rejects.toMatchObject({
      code: expect.stringMatching(/^E(PIPE|CONNRESET)$/),
    })
  })

  test('ends at once with the reason of its signal', async () => {
    const stopping = new AbortController()
    const url = await openServer(() => stopping.abort('enough'))
    await expect(send(url, new Fed(1_000, 1_000_000), stopping.signal)).rejects.toBe('enough')
  })
})
