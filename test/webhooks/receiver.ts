import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

interface Delivery {
  readonly path: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Receiver {
  readonly port: number
  readonly url: string
  readonly deliveries: readonly Delivery[]
  /** Connections ever opened to it. */
  connections(): number
  openConnections(): number
}

export type Answer = RequestListener

const ok: Answer = (_request, response) => response.end()

/** A webhook receiver on 127.0.0.1 that ends with the test. It answers when it has read the whole delivery. */
export const startReceiver = async (
  answer: Answer = ok,
  secure?: { key: string; cert: string },
): Promise<Receiver> => {
  const deliveries: Delivery[] = []
  const open = new Set<object>()
  let connections = 0

  const listener: RequestListener = async (request, response) => {
    const { url: path = '', method = '', headers } = request
    deliveries.push({ path, method, headers, body: await text(request) })
    answer(request, response)
  }
  const server = secure ? createSecureServer(secure, listener) : createServer(listener)
  server.on('connection', socket => {
    connections += 1
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })

  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}/hook`,
    deliveries,
    connections: () => connections,
    openConnections: () => open.size,
  }
}
