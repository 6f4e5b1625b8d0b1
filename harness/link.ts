import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * - `open`: bytes go through.
 * - `shut`: what is connected is reset, and nothing can connect.
 * - `silent`: connections stand, new ones too, and swallow every byte in both directions.
 *
 * From `silent` on, what was connected meanwhile is reset: the peer has long forgotten it.
 */
export type LinkMode = 'open' | 'shut' | 'silent'

/** A stretch of network between two processes. */
export interface Link {
  readonly port: number
  /** `host:port`. */
  readonly address: string
  set(mode: LinkMode): Promise<void>
  close(): Promise<void>
}

interface Pair {
  readonly near: Socket
  readonly far: Socket
  isDeaf: boolean
}

export const openLink = async (target: { readonly host: string; readonly port: number }): Promise<Link> => {
  const pairs = new Set<Pair>()
  let mode: LinkMode = 'open'

  const server = createServer(near => {
    const far = connect(target.port, target.host)
    const pair: Pair = { near, far, isDeaf: mode === 'silent' }
    pairs.add(pair)
    const end = (): void => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true)
      from.on('data', chunk => {
        if (pair.isDeaf) return
        if (!to.write(chunk)) {
          from.pause()
          to.once('drain', () => from.resume())
        }
      })
      from.on('error', end)
      // The other side of a silent connection hears nothing of an end either.
      from.on('close', () => (pair.isDeaf ? from.destroy() : end()))
      from.on('end', () => (pair.isDeaf ? undefined : to.end()))
    }
  })

  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const resetAll = (): void => {
    for (const { near, far } of pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
    pairs.clear()
  }
  const stopListening = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    resetAll()
    await closed
  }

  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    port,
    address: `127.0.0.1:${port}`,
    set: async next => {
      if (mode === 'silent') resetAll()
      mode = next
      if (next === 'shut') return stopListening()
      for (const pair of pairs) pair.isDeaf = next === 'silent'
      if (!server.listening) await listen(port)
    },
    close: stopListening,
  }
}
