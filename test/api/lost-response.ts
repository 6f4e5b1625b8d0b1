import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface LossyProxy extends AsyncDisposable {
  readonly url: string
  /** Answers that were there and did not get to the client. */
  readonly lost: number
}

/**
 * A TCP proxy before `target` that cuts the line at the first `losses` answers to requests that begin with `request`:
 * the server has done its work, the client does not hear of it.
 */
export const openLossyProxy = async (target: string, request: string, losses = 1): Promise<LossyProxy> => {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let lost = 0
  const server = createServer(client => {
    const upstream = connect(Number(port), hostname)
    let isDoomed = false
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.on('error', () => to.destroy())
    }
    client.on('data', chunk => {
      if (chunk.toString('latin1').startsWith(request)) isDoomed = lost < losses
      upstream.write(chunk)
    })
    upstream.on('data', chunk => {
      if (!isDoomed) return client.write(chunk)
      lost++
      client.resetAndDestroy()
    })
  })
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get lost() {
      return lost
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(closed => server.close(closed))
    },
  }
}
