import type { Trouble } from '../health/troubles.ts'
import { type ApiClient, ApiRefusal } from './api-client.ts'

/** The part of a provider in `GET /v1/providers` that the commands show. Times are Unix seconds. */
export interface ProviderState {
  readonly name: string
  readonly type: string
  readonly models: readonly string[]
  readonly state: string
  readonly since: number | null
  readonly until: number | null
  readonly reason: string | null
  /** Its share of the traffic, 0 to 1. */
  readonly share: number
  readonly queue: { readonly waiting: number; readonly active: number }
  /** What of it is out of use, or on its way back. */
  readonly entries: readonly {
    readonly scope: string
    readonly state: string
    readonly since: number
    readonly reason: string
    /** The provider's own message. */
    readonly error?: { readonly message: string }
  }[]
  readonly workers: readonly {
    readonly instance: string
    readonly calls_in_flight: number
    readonly concurrency: number
  }[]
  /** As for autoscalers: none where nothing is to be done. */
  readonly workers_wanted?: number
  /** Since when it has no worker, once that is so long that its jobs go elsewhere. */
  readonly without_worker_since: number | null
}

/** Throws as the ApiClient does. */
export const readProviders = async (api: ApiClient): Promise<readonly ProviderState[]> =>
  ((await api.ask('GET', '/v1/providers')) as { data: ProviderState[] }).data

/** The part of a blocked batch, of both kinds, that the commands show. */
export interface BlockedBatch {
  readonly id: string
  readonly blocked: {
    readonly reason: string
    /** Unix seconds, or a time in RFC 3339 of a message batch. */
    readonly since?: number | string
    readonly message: string
    readonly provider: string
    readonly model: string
  }
}

/** Throws as the ApiClient does. */
export const readBlockedBatches = async (api: ApiClient): Promise<readonly BlockedBatch[]> => {
  const paths = ['/v1/batches', '/v1/messages/batches'].map(path => `${path}?blocked=true&limit=100`)
  const pages = await Promise.all(paths.map(path => api.ask('GET', path)))
  return pages.flatMap(page => (page as { data: BlockedBatch[] }).data)
}

/** The part of a route in `GET /v1/routes` that the commands show, its targets in their present order. */
export interface RouteState {
  readonly id: string
  readonly strategy: string
  readonly targets: readonly {
    readonly provider: string
    readonly model: string
    /** Unix seconds; null for now. */
    readonly available_at: number | null
    readonly recent_failures: number
    readonly success_share: number
    readonly p95_ms: number | null
    /** US dollars per million tokens. */
    readonly price: { readonly input: number; readonly output: number } | null
    /** Its share of the route's jobs, 0 to 1; null where the route does not share them out. */
    readonly share: number | null
  }[]
}

/** Throws as the ApiClient does. */
export const readRoutes = async (api: ApiClient): Promise<readonly RouteState[]> =>
  ((await api.ask('GET', '/v1/routes')) as { data: RouteState[] }).data

/** That processes run on different configs; null where they do not, or an API of before 0.2 cannot say. Throws as the ApiClient does. */
export const readConfigsTrouble = async (
  api: ApiClient,
): Promise<{ readonly reason: string; readonly since: number } | null> => {
  const overview = await api.ask('GET', '/v1/admin/overview').catch(error => {
    if (error instanceof ApiRefusal && error.status === 404) return { troubles: [] }
    throw error
  })
  const { troubles } = overview as { readonly troubles: readonly Trouble[] }
  const apart = troubles.find(({ code }) => code === 'configs')
  return apart ? { reason: apart.reason ?? '', since: apart.since ?? 0 } : null
}

/** The part of a mirror in `GET /v1/mirrors` that the commands show. */
export interface MirrorState {
  readonly route: string
  readonly to: { readonly provider: string; readonly model: string }
  readonly keep_pairs: number
  readonly sampled: number
  readonly compared: number
  readonly failed: number
  /** Shares are of the compared ones, null without any. */
  readonly agreement: Readonly<Record<'exact' | 'normalised', { readonly share: number | null }>>
  readonly latency_ms: { readonly mean_difference: number | null }
  readonly cost_usd: { readonly mean_difference: number | null }
}

/** Throws as the ApiClient does. */
export const readMirrors = async (api: ApiClient): Promise<readonly MirrorState[]> =>
  ((await api.ask('GET', '/v1/mirrors')) as { data: MirrorState[] }).data

/** As `GET /v1/dead-letters` shows it: of a job or of a batch. */
export interface DeadLetterView {
  /** What it is sent again by. */
  readonly id: string
  readonly job_id?: string
  readonly batch_id?: string
  readonly died_at: number
  readonly webhook: { readonly url: string }
  readonly attempts: number
  readonly reason: string | null
}

export interface DeadLetterList {
  readonly data: readonly DeadLetterView[]
  readonly has_more: boolean
  /** What the next page comes after; null at the end. */
  readonly next_cursor: string | null
}

/** Newest first. Throws as the ApiClient does. */
export const readDeadLetters = async (
  api: ApiClient,
  limit: number,
  after?: string | undefined,
): Promise<DeadLetterList> => {
  const place = after === undefined ? '' : `&after=${encodeURIComponent(after)}`
  return (await api.ask('GET', `/v1/dead-letters?limit=${limit}${place}`)) as DeadLetterList
}
