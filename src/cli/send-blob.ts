import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'

export interface BlobRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Blob
  readonly signal: AbortSignal
  readonly onSent?: ((bytes: number) => void) | undefined
}

/** No byte goes or comes for this long: as fetch has it. */
const silentMs = 5 * 60_000

/**
 * Sends a Blob as it is read, and answers what came back, redirects too. Rejects with the error of the connection, or the
 * signal's reason.
 *
 * Not by fetch: a server that refuses a long body may answer and close before it has read all, and proxies do. Then the next write
 * fails, often before the answer was looked at, and fetch drops the connection with the answer in it.
 */
export const sendBlob = (
  url: string,
  { method, headers, body, signal, onSent }: BlobRequest,
): Promise<Response> =>
  new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? requestHttps : requestHttp
    const sent = { ...headers, 'content-type': body.type, 'content-length': body.size }
    const request = send(url, { method, signal, agent: false, headers: sent })
    const content = Readable.fromWeb(body.stream())
    const end = (error: Error): void => {
      content.destroy()
      request.destroy()
      reject(signal.aborted ? signal.reason : error)
    }
    request.once('socket', keepForAnswer)
    request.setTimeout(silentMs, () => end(new Error(`silent for ${silentMs / 60_000} minutes`)))
    request.on('error', end)
    content.on('error', end)
    request.once('response', async answer => {
      try {
        const response = new Response((await text(answer)) || null, {
          status: answer.statusCode!,
          headers: Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
            values.map((value): [string, string] => [name, value]),
          ),
        })
        content.destroy()
        request.destroy()
        resolve(response)
      } catch (error) {
        end(error as Error)
      }
    })
    content.on('data', (chunk: Uint8Array) => onSent?.(chunk.length))
    content.pipe(request)
  })

/** What the server sent before it closed is here already, or comes within a round trip. */
const answerMs = 1_000

type Written = (error?: Error | null) => void

/** Lets a connection whose writing failed be read on before that is known: an error of its own would end the reading, too. */
const keepForAnswer = (socket: Socket): void => {
  const { _write: write, _writev: writeAll } = socket
  const later =
    (written: Written): Written =>
    error => {
      if (!error) return written()
      const timer = setTimeout(() => written(error), answerMs)
      socket.once('close', () => clearTimeout(timer))
    }
  socket._write = (chunk, encoding, written) => write.call(socket, chunk, encoding, later(written))
  socket._writev = (chunks, written) => writeAll!.call(socket, chunks, later(written))
}
