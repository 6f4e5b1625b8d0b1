import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Arrival {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface RecordingUpstream {
  readonly url: string
  /** Requests in the order of their arrival, each recorded once its body is complete. */
  readonly arrivals: Arrival[]
  /** The only arrival, parsed. Throws unless there is exactly one. */
  body(): unknown
  close(): Promise<void>
}

const readText = async (stream: AsyncIterable<Buffer>): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** A real HTTP server that records what arrives before `respond` answers it. */
export const startUpstream = async (respond: RequestListener): Promise<RecordingUpstream> => {
  const arrivals: Arrival[] = []
  const server = createServer(async (request, response) => {
    const text = await readText(request)
    arrivals.push({ path: request.url ?? '', headers: request.headers, text })
    respond(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    body: () => {
      if (arrivals.length !== 1) throw new Error(`${arrivals.length} requests arrived`)
      return JSON.parse(arrivals[0]!.text)
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export const answering =
  (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
