import type { Socket } from 'node:net'
import type { Config } from '../../config/schema.ts'
import { createNameResolver } from '../../net/names/name-resolver.ts'
import { createAddressGuard } from '../../webhooks/address-guard.ts'
import { createGuardedConnector, forbiddenAddressCode } from '../../webhooks/guarded-connect.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, bad } = findingsOf('webhooks')

/** Whether webhooks can be signed, and whether the receivers that were named are reached as a delivery would reach them. */
export const examineWebhooks = async (
  { webhooks, dns }: Pick<Config, 'webhooks' | 'dns'>,
  urls: readonly string[],
): Promise<readonly Finding[]> => {
  const secret =
    webhooks.secret === undefined
      ? warn(
          'secret',
          'none: each job must bring its own',
          'Set `webhooks.secret` to `whsec_` and the base64 of 32 random bytes.',
        )
      : ok('secret', 'deliveries are signed')
  return [secret, ...(await Promise.all(urls.map(url => examineReceiver(webhooks, dns, url))))]
}

const examineReceiver = async (
  { allowed_networks, proxy, timeout }: Config['webhooks'],
  dns: Config['dns'],
  url: string,
): Promise<Finding> => {
  if (!URL.canParse(url)) return bad(url, 'is no URL', 'Write it as https://host/path.')
  const { protocol, hostname, port, origin } = new URL(url)
  const names = createNameResolver({ servers: dns.servers, timeoutMs: dns.timeout })
  const connect = createGuardedConnector(createAddressGuard(allowed_networks), {
    timeoutMs: Math.min(timeout, 10_000),
    resolve: names.resolve,
    proxy: proxy === undefined ? null : new URL(proxy),
  })
  const startedAt = performance.now()
  const { promise, resolve } = Promise.withResolvers<Error | null>()
  connect({ protocol, hostname, host: hostname, port }, (error, socket: Socket | null) => {
    socket?.destroy()
    resolve(error)
  })
  const error = await promise
  await names.close()
  if (error === null)
    return ok(origin, `reached in ${Math.round(performance.now() - startedAt)} ms; nothing was sent`)
  const { code } = error as NodeJS.ErrnoException
  return code === forbiddenAddressCode
    ? bad(
        origin,
        'leads to a private address, or is plain http',
        'Use https and a public address, or name its network in `webhooks.allowed_networks`.',
      )
    : bad(
        origin,
        `is not reached (${code ?? error.message})`,
        'Check the name, its certificate, and firewalls.',
      )
}
