import { request } from 'node:http'

/** Time for an answer: a probe of Docker or Kubernetes waits five seconds as a rule. */
const limitMs = 3_000

/**
 * Asks a process whether it can work, by its own word. With Node's client of HTTP alone: this is loaded every few seconds in
 * each container.
 *
 * @throws an error that says what is wrong.
 */
export const probeReady = (listens: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const host = ['', '0.0.0.0', '::'].includes(listens) ? '127.0.0.1' : listens
    const asked = request({ host, port, path: '/readyz', agent: false, timeout: limitMs }, answer => {
      answer.resume()
      if (answer.statusCode === 200) resolve()
      else reject(new Error(`/readyz was answered ${answer.statusCode}`))
    })
    asked.on('timeout', () => asked.destroy(new Error(`/readyz was not answered in ${limitMs / 1_000} s`)))
    asked.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === undefined ? error : new Error(`nothing answers at ${host}:${port} (${error.code})`),
      ),
    )
    asked.end()
  })

/** The port of its own that the environment gives each process of this machine; null without one, or with any free one. */
export const ownPortOf = (env: Readonly<Record<string, string | undefined>>): number | null => {
  const port = Number(env.ADMIN_PORT)
  return Number.isInteger(port) && port > 0 ? port : null
}
