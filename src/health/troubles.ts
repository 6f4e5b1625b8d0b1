export const troubleCodes = [
  ...(['provider_away', 'provider_paused', 'key_stopped', 'model_stopped', 'no_worker'] as const),
  ...([
    'batch_blocked',
    'deadline_at_risk',
    'dead_letters',
    'redis',
    'blob_store',
    'clock',
    'configs',
  ] as const),
] as const

/** Something that a person should know of, worst first in a list. Times are Unix seconds. */
export interface Trouble {
  readonly code: (typeof troubleCodes)[number]
  readonly level: 'bad' | 'warn' | 'hold'
  /** The provider, `provider/model`, `provider#key`, or batch that it is about. */
  readonly subject: string | null
  readonly since: number | null
  /** What it holds up: jobs, lines or letters. */
  readonly count: number | null
  readonly reason: string | null
}

/** As much of a provider in `GET /v1/providers` as troubles are seen by. */
export interface ProviderStanding {
  readonly name: string
  readonly state: string
  readonly since: number | null
  readonly reason: string | null
  readonly queue: { readonly waiting: number }
  readonly entries: readonly {
    readonly scope: string
    readonly state: string
    readonly since: number
    readonly reason: string
  }[]
  readonly workers: readonly object[]
  /** As autoscalers are told: none where nothing is to be done. An API of before 0.2 does not say. */
  readonly workers_wanted?: number
  readonly without_worker_since: number | null
}

export interface BatchStanding {
  readonly id: string
  readonly blocked: { readonly reason: string; readonly since: number } | null
  /** Since when it is likely not to be done in its window; null while it is. */
  readonly atRiskSince: number | null
  /** Lines that are not at their end; null where that is not known. */
  readonly open: number | null
}

export interface TroubleFacts {
  readonly providers: readonly ProviderStanding[]
  /** Those that have not ended. */
  readonly batches: readonly BatchStanding[]
  readonly deadLetters: number
  /** Why nothing new is taken, or null. */
  readonly redis: { readonly reason: string; readonly since: number | null } | null
  /** Why files can neither be stored nor read, or null. */
  readonly blobStore: string | null
  /** How far the clock of this host is off, in seconds, where that is too much; else null. */
  readonly clockOff: number | null
  /** Which configs processes run on, where they have differed for too long; else null. */
  readonly configs: { readonly reason: string; readonly since: number } | null
}

const ranks = { bad: 0, warn: 1, hold: 2 } as const
/** In which a provider is called, if not for all that there is. */
export const wellStates: ReadonlySet<string> = new Set(['healthy', 'recovering'])

/** What is wrong by these facts: the page, `baton status` and its exit code all go by this. */
export const troublesOf = (facts: TroubleFacts): readonly Trouble[] => {
  const found = [
    ...ofPlaces(facts),
    ...facts.providers.flatMap(ofProvider),
    ...facts.batches.flatMap(ofBatch),
    ...ofLetters(facts.deadLetters),
  ]
  const sinceOf = ({ since }: Trouble): number => since ?? Number.POSITIVE_INFINITY
  return found.toSorted((a, b) =>
    a.level === b.level && sinceOf(a) !== sinceOf(b)
      ? sinceOf(a) - sinceOf(b)
      : ranks[a.level] - ranks[b.level],
  )
}

const trouble = (
  code: Trouble['code'],
  level: Trouble['level'],
  more: Partial<Omit<Trouble, 'code' | 'level'>> = {},
): Trouble => ({ code, level, subject: null, since: null, count: null, reason: null, ...more })

const ofPlaces = ({ redis, blobStore, clockOff, configs }: TroubleFacts): Trouble[] => [
  ...(redis === null ? [] : [trouble('redis', 'bad', redis)]),
  ...(blobStore === null ? [] : [trouble('blob_store', 'bad', { reason: blobStore })]),
  ...(clockOff === null ? [] : [trouble('clock', 'warn', { reason: `${clockOff} s` })]),
  ...(configs === null ? [] : [trouble('configs', 'warn', configs)]),
]

const ofProvider = (provider: ProviderStanding): Trouble[] => {
  const { name: subject, state, since, reason, queue, workers } = provider
  const isAway = !wellStates.has(state)
  const about = { subject, since, count: queue.waiting, reason }
  return [
    ...(state === 'paused' ? [trouble('provider_paused', 'hold', about)] : []),
    // What throttles comes back by itself.
    ...(isAway && state !== 'paused'
      ? [trouble('provider_away', state === 'throttled' ? 'warn' : 'bad', about)]
      : []),
    // Autoscalers take a provider down to none while there is nothing to do for it.
    ...(workers.length === 0 && provider.workers_wanted !== 0
      ? [trouble('no_worker', 'bad', { ...about, since: provider.without_worker_since, reason: null })]
      : []),
    ...provider.entries.flatMap(entry => ofEntry(entry, isAway)),
  ]
}

/** A model that is merely away says nothing new where its whole provider is. */
const ofEntry = (
  { scope, state, since, reason }: ProviderStanding['entries'][number],
  isProviderAway: boolean,
): Trouble[] => {
  const colon = scope.indexOf(':')
  const kind = scope.slice(0, colon)
  const about = { subject: scope.slice(colon + 1), since, reason }
  if (state === 'stopped' && kind !== 'provider')
    return [trouble(kind === 'key' ? 'key_stopped' : 'model_stopped', 'bad', about)]
  const isModelAway = kind === 'target' && !wellStates.has(state) && !isProviderAway
  return isModelAway ? [trouble('provider_away', state === 'throttled' ? 'warn' : 'bad', about)] : []
}

const ofBatch = ({ id: subject, blocked, atRiskSince, open: count }: BatchStanding): Trouble[] => [
  ...(blocked === null
    ? []
    : [trouble('batch_blocked', 'bad', { subject, count, since: blocked.since, reason: blocked.reason })]),
  ...(atRiskSince === null
    ? []
    : [trouble('deadline_at_risk', 'warn', { subject, count, since: atRiskSince })]),
]

const ofLetters = (count: number): Trouble[] =>
  count === 0 ? [] : [trouble('dead_letters', 'warn', { count })]
