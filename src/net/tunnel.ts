import { request as plainRequest, type RequestOptions } from 'node:http'
import { request as secureRequest } from 'node:https'
import type { LookupFunction, Socket } from 'node:net'
import { buildConnector } from 'undici'

/** The `code` of the error a connection fails with when the proxy refuses to make it. */
export const proxyRefusedCode = 'ERR_PROXY_REFUSED'

/** The `proxy-authorization` for a proxy. A secret. */
export const proxyHeaders = ({ username, password }: URL): Record<string, string> => {
  if (username === '' && password === '') return {}
  const words = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(words).toString('base64')}` }
}

export interface TunnelOptions {
  readonly timeoutMs: number
  /** Resolves the proxy; the system does without one. */
  readonly lookup?: LookupFunction | undefined
}

/**
 * Has a proxy connect to `authority` (`host:port`). Errors disclose nothing of the proxy but its answer's
 * status.
 */
export const openTunnel = (
  proxy: URL,
  authority: string,
  { timeoutMs, lookup }: TunnelOptions,
): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const isSecure = proxy.protocol === 'https:'
    const options: RequestOptions = {
      host: proxy.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: proxy.port || (isSecure ? 443 : 80),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...proxyHeaders(proxy) },
      agent: false,
      ...(lookup && { lookup }),
    }
    const asked = (isSecure ? secureRequest : plainRequest)(options)
    const timer = setTimeout(() => asked.destroy(new Error('the proxy did not connect in time')), timeoutMs)
    asked.once('close', () => clearTimeout(timer))
    asked.once('error', reject)
    asked.once('connect', ({ statusCode = 0 }, socket: Socket, head: Buffer) => {
      clearTimeout(timer)
      if (statusCode >= 200 && statusCode < 300) {
        if (head.length > 0) socket.unshift(head)
        return resolve(socket)
      }
      socket.destroy()
      const error = new Error(`the proxy answered ${statusCode}`)
      reject(Object.assign(error, { code: proxyRefusedCode }))
    })
    asked.end()
  })

/** As a URL has it: IPv6 in brackets. */
export const authorityOf = (host: string, port: string, protocol: string): string => {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  return `${bare.includes(':') ? `[${bare}]` : bare}:${port || (protocol === 'https:' ? 443 : 80)}`
}

/**
 * An undici connector through a proxy. `addressesOf`: whom the proxy is asked for in place of a host's own
 * name, one after the other; TLS still asks for the name.
 */
export const createTunnelConnector = (
  proxy: URL,
  options: TunnelOptions & {
    readonly addressesOf?: (target: buildConnector.Options) => Promise<readonly string[]>
  },
): buildConnector.connector => {
  const { timeoutMs, addressesOf = async ({ hostname }) => [hostname] } = options
  const secure = buildConnector({ timeout: timeoutMs, allowH2: false })

  const open = async (target: buildConnector.Options): Promise<Socket> => {
    let failure: unknown = null
    for (const address of await addressesOf(target)) {
      try {
        return await openTunnel(proxy, authorityOf(address, target.port, target.protocol), options)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  return (target, callback) => {
    open(target).then(
      socket =>
        target.protocol === 'https:'
          ? secure({ ...target, httpSocket: socket }, callback)
          : callback(null, socket),
      error => callback(error, null),
    )
  }
}
