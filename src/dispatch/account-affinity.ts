import { createHash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Endpoint } from '../domain/endpoint.ts'
import type { Home } from '../domain/routing/kept-state.ts'
import type { KeyRing } from '../health/key-ring.ts'
import type { Providers } from './routes.ts'

/** As long as OpenAI keeps a response. */
const rememberedSeconds = 30 * 86_400

/** Which account keeps what a later request refers to: a response, a conversation, a container. */
export interface AccountAffinity {
  find(tenant: string, id: string): Promise<Pick<Home, 'provider' | 'key'> | null>
  /**
   * Sent before the job's end, on the same connection, so that the next request finds it; never waited for. A
   * lost entry counts as one that was never known.
   */
  remember(
    tenant: string,
    endpoint: Endpoint,
    ids: readonly string[],
    at: Pick<Home, 'provider' | 'key'>,
  ): void
}

export interface AccountAffinityOptions {
  readonly redis: Redis | Cluster
  readonly prefix: string
  readonly providers: Providers
  readonly keyRings: ReadonlyMap<string, KeyRing>
  readonly log: Logger
}

export const createAccountAffinity = ({
  redis,
  prefix,
  providers,
  keyRings,
  log,
}: AccountAffinityOptions): AccountAffinity => {
  const keyOf = (tenant: string, id: string): string =>
    `${prefix}:home:${createHash('sha256').update(`${tenant}\n${id}`).digest('base64url')}`

  const accounts = (endpoint: Endpoint): number =>
    [...providers.values()]
      .filter(provider => provider.serves(endpoint) === 'native')
      .reduce((sum, { name }) => sum + Math.max(1, keyRings.get(name)?.size ?? 0), 0)

  return {
    find: async (tenant, id) => {
      const found = await redis.get(keyOf(tenant, id))
      if (found === null) return null
      const [provider = '', key = ''] = found.split(' ')
      return { provider, key: key === '' ? null : key }
    },
    remember: (tenant, endpoint, ids, { provider, key }) => {
      // With a single account there is nothing to look up.
      if (ids.length === 0 || accounts(endpoint) < 2) return
      for (const id of ids) {
        redis
          .set(keyOf(tenant, id), `${provider} ${key ?? ''}`, 'EX', rememberedSeconds)
          .catch(error =>
            log.debug(
              { event: 'kept_state.record_failed', err: error },
              'account of a kept state not recorded',
            ),
          )
      }
    },
  }
}
