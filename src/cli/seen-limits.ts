import { renderTime } from '../terminal/format.ts'
import { type ApiOptions, findApi } from './api-address.ts'
import { createApiClient } from './api-client.ts'
import type { CommandIo } from './command-io.ts'

/** What the cluster knows of one key, or of a model called with it; as `GET /v1/providers` has it. */
export interface SeenLimits {
  readonly key: string
  readonly model: string | null
  readonly rpm: number | null
  readonly tpm: number | null
  readonly remaining_requests: number | null
  readonly remaining_tokens: number | null
  readonly told_at: number | null
  readonly calls_in_flight: number
  readonly adaptive_concurrency: number | null
  readonly adaptive_rpm: number | null
  readonly blocked_until: number | null
  readonly held_by: string
  readonly held_limit: number | null
  readonly held_unit: string | null
}

interface ProviderList {
  readonly data: readonly {
    readonly name: string
    readonly limits?: { readonly seen: readonly SeenLimits[] }
  }[]
}

const patienceMs = 3_000

/** Asks a running API; answers why when there is none: the config can be shown without. */
export const askSeenLimits = async (
  provider: string,
  options: ApiOptions,
  terminal: Pick<CommandIo, 'cwd' | 'env'>,
): Promise<readonly SeenLimits[] | Error> => {
  try {
    const api = createApiClient(findApi(terminal, options), AbortSignal.timeout(patienceMs))
    const { data } = (await api.ask('GET', '/v1/providers')) as ProviderList
    return data.find(({ name }) => name === provider)?.limits?.seen ?? []
  } catch (error) {
    return error as Error
  }
}

/** A row for each: what it is of, and its state. */
export const seenRows = (seen: readonly SeenLimits[] | Error): string[][] => {
  if (seen instanceof Error) return [['last seen', `not known: ${seen.message}`]]
  if (seen.length === 0) return [['last seen', 'nothing yet']]
  return seen.map(one => [`key ${one.key}${one.model === null ? '' : `, ${one.model}`}`, describe(one)])
}

const describe = (one: SeenLimits): string => {
  const told = [
    limitText(one.rpm, one.remaining_requests, 'requests'),
    limitText(one.tpm, one.remaining_tokens, 'tokens'),
  ]
    .filter(text => text !== null)
    .join(' and ')
  const at = one.told_at === null ? '' : `, told ${renderTime(one.told_at)}`
  return [
    ...(told === '' ? [] : [`${told} per minute${at}`]),
    `${one.calls_in_flight} calls under way${one.adaptive_concurrency === null ? '' : ` of ${one.adaptive_concurrency} at once`}`,
    ...(one.adaptive_rpm === null ? [] : [`about ${one.adaptive_rpm} requests per minute, as 429s showed`]),
    heldText(one),
    ...(one.blocked_until === null ? [] : [`left alone until ${renderTime(one.blocked_until)}`]),
  ].join('; ')
}

const limitText = (limit: number | null, left: number | null, unit: string): string | null =>
  limit === null ? null : `${limit} ${unit}${left === null ? '' : ` (${left} left)`}`

const plainly = (name: string): string => name.replaceAll('_', ' ')

const heldText = ({ held_by, held_limit, held_unit }: SeenLimits): string =>
  `held back by: ${plainly(held_by)}${held_limit === null ? '' : ` (${held_limit} ${plainly(held_unit ?? '')})`}`
