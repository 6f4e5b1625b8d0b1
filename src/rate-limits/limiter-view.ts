/** What holds calls back. */
export type HeldBy = 'told_limit' | 'configured_limit' | 'learned_rate' | 'learned_ceiling'

/** What the cluster knows of one limiter. */
export interface LimiterView {
  readonly name: string
  /** The key's fingerprint; `none` where the provider needs no key. */
  readonly key: string
  /** Null for a limit of the key over all models. */
  readonly model: string | null
  /** As last reported by the provider; null when it never did. */
  readonly rpm: number | null
  readonly tpm: number | null
  readonly remainingRequests: number | null
  readonly remainingTokens: number | null
  readonly toldAtMs: number | null
  /** Let through in the last minute; null where that is not counted. */
  readonly usedRpm: number | null
  readonly usedTpm: number | null
  readonly callsInFlight: number
  /** Calls that wait for their turn in workers. */
  readonly waiting: number
  /** The ceiling of calls at once that was found; null where none is looked for. */
  readonly ceiling: number | null
  /** Requests a minute, where 429s taught that. */
  readonly learnedRpm: number | null
  readonly blockedUntilMs: number | null
  /** What held calls back in the last seconds, and that limit; null when nothing did. */
  readonly held: { readonly by: HeldBy; readonly limit: number; readonly of: HeldUnit } | null
}

export type HeldUnit = 'requests_per_minute' | 'tokens_per_minute' | 'calls_at_once'

/** As the scripts keep it: each field is JSON. Times are ms of Redis's clock. */
interface Counted {
  readonly told?: number
  /** What may be used in each second. An empty table of Lua is an array in JSON. */
  readonly window?: Readonly<Record<string, number>>
  readonly remaining?: number
  readonly told_at?: number
  readonly limit?: number
  /** When it last gave less than was asked for, and what held that. */
  readonly short_at?: number
  readonly by?: HeldBy
}

interface AtOnce {
  readonly ceiling?: number
  readonly rate?: number
  readonly short_at?: number
  readonly by?: HeldBy
  readonly most?: number
  readonly procs: Readonly<
    Record<string, { readonly at: number; readonly calling: number; readonly want: number }>
  >
}

const silentAfterMs = 5_000
/** Held back within this time is held back now. */
const nowAndThenMs = 3_000

const partsOf = (name: string): { readonly key: string; readonly model: string | null } => {
  const [, key = '', model = null] = /^[^#]*#([^/]*)(?:\/(.*))?$/s.exec(name) ?? []
  return { key, model }
}

const read = <Part>(text: string | undefined): Partial<Part> =>
  (text ? JSON.parse(text) : {}) as Partial<Part>

/** A limiter as operators see it, of its record in Redis. */
export const limiterViewOf = (
  name: string,
  fields: Readonly<Record<string, string>>,
  nowMs: number,
): LimiterView => {
  const requests = read<Counted>(fields.requests)
  const tokens = read<Counted>(fields.tokens)
  const atOnce = read<AtOnce>(fields.concurrency)
  const { blocked_until: blockedUntil = 0 } = read<{ readonly blocked_until: number }>(fields.learned)
  const lively = Object.values(atOnce.procs ?? {}).filter(({ at }) => nowMs - at < silentAfterMs)
  const callsInFlight = lively.reduce((sum, { calling }) => sum + calling, 0)
  const toldAtMs = Math.max(requests.told_at ?? 0, tokens.told_at ?? 0)
  const held = [
    heldBy('requests_per_minute', requests, requests.limit),
    heldBy('tokens_per_minute', tokens, tokens.limit),
    heldBy('calls_at_once', atOnce, atOnce.most),
  ]
    .filter(one => one.atMs > nowMs - nowAndThenMs)
    .toSorted((a, b) => b.atMs - a.atMs)[0]
  return {
    name,
    ...partsOf(name),
    rpm: requests.told ?? null,
    tpm: tokens.told ?? null,
    remainingRequests: requests.remaining ?? null,
    remainingTokens: tokens.remaining ?? null,
    toldAtMs: toldAtMs === 0 ? null : Math.round(toldAtMs),
    usedRpm: usedIn(requests.window, nowMs),
    usedTpm: usedIn(tokens.window, nowMs),
    callsInFlight,
    waiting: lively.reduce((sum, { want, calling }) => sum + Math.max(0, want - calling), 0),
    ceiling: atOnce.ceiling === undefined ? null : Math.floor(atOnce.ceiling),
    learnedRpm: atOnce.rate === undefined ? null : Math.floor(atOnce.rate),
    blockedUntilMs: blockedUntil > nowMs ? Math.round(blockedUntil) : null,
    held: held?.by === undefined ? null : { by: held.by, limit: Math.floor(held.limit), of: held.of },
  }
}

const usedIn = (window: Counted['window'], nowMs: number): number | null => {
  if (window === undefined) return null
  const [from, to] = [nowMs / 1_000 - 60, nowMs / 1_000]
  const counts = Object.entries(window).filter(([second]) => Number(second) > from && Number(second) <= to)
  return Math.max(0, Math.round(counts.reduce((sum, [, count]) => sum + count, 0)))
}

const heldBy = (of: HeldUnit, { short_at: atMs = 0, by }: Pick<Counted, 'short_at' | 'by'>, limit = 0) => ({
  ...{ of, by, limit, atMs },
})
