import { once } from 'node:events'
import { createConnection } from 'node:net'
import { createInterface } from 'node:readline'

export interface Monitor {
  /** Every command so far, with those that scripts give, its words joined by spaces. */
  readonly commands: readonly string[]
  stop(): Promise<void>
}

/** A line is `1795274140.603426 [0 127.0.0.1:36168] "hgetall" "key"`, each word quoted and escaped. */
const wordsOf = (line: string): string =>
  [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word!.replaceAll('\\"', '"')).join(' ')

/**
 * Listens to everything that a Redis does. Over a socket of its own: ioredis, when the answer to MONITOR comes together with
 * the first commands of others, takes those for answers to commands it never gave, and throws.
 */
export const startMonitor = async (url: string): Promise<Monitor> => {
  const { hostname, port } = new URL(url)
  const socket = createConnection({ host: hostname, port: Number(port) })
  const closed = once(socket, 'close')
  const lines = createInterface({ input: socket })
  const commands: string[] = []
  const answer = once(lines, 'line')
  lines.on('line', line => commands.push(wordsOf(line)))
  socket.write('MONITOR\r\n')
  const [first] = await answer
  if (first !== '+OK') throw new Error(`MONITOR: ${first}`)
  return {
    commands,
    stop: async () => {
      socket.destroy()
      await closed
    },
  }
}
