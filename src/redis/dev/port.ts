import { once } from 'node:events'
import { createServer } from 'node:net'

/** Whether a server could listen on this loopback port now. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

/**
 * A free loopback port below the ports that systems give to outgoing connections (from 32768 on Linux, 49152
 * elsewhere). On one of those, clients that try to reconnect during a restart can take the server's port from it, or
 * even connect to themselves.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (await isPortFree(port)) return port
  }
}
