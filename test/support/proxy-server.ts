import { once } from 'node:events'
import { createServer, type RequestListener, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface ProxyServer {
  readonly url: string
  /** What it was asked for: `CONNECT host:port`, or the method and the whole address. */
  readonly asked: readonly string[]
  /** What it was told of who asks. */
  readonly credentials: readonly (string | undefined)[]
}

/** An HTTP proxy that reaches every name at this machine. `refuse`: the status it answers everything with. */
export const openProxyServer = async ({ refuse }: { refuse?: number } = {}): Promise<ProxyServer> => {
  const asked: string[] = []
  const credentials: (string | undefined)[] = []
  const sockets = new Set<Socket>()

  const forward: RequestListener = (incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`)
    credentials.push(incoming.headers['proxy-authorization'])
    if (refuse !== undefined) return response.writeHead(refuse).end('no')
    const { port, pathname, search } = new URL(incoming.url!)
    const { 'proxy-authorization': _, ...headers } = incoming.headers
    const options = {
      host: '127.0.0.1',
      port,
      path: pathname + search,
      method: incoming.method,
      headers,
      agent: false,
    }
    const sent = request(options as object, answer => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    sent.on('error', () => response.destroy())
    incoming.pipe(sent)
  }
  const server = createServer(forward)
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('connect', (incoming, client: Socket) => {
    asked.push(`CONNECT ${incoming.url}`)
    credentials.push(incoming.headers['proxy-authorization'])
    if (refuse !== undefined) return client.end(`HTTP/1.1 ${refuse} No\r\n\r\n`)
    const upstream = connect(Number(incoming.url!.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    sockets.add(upstream)
    upstream.on('error', () => client.destroy())
    client.on('error', () => upstream.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, credentials }
}
