import { anyModel } from '../../domain/routing/wildcards.ts'
import { gauge, type Metric, type Sample } from './metrics-text.ts'
import type { ProviderView } from './provider-view.ts'

type Meter = Pick<
  ProviderView['limits']['seen'][number],
  | 'model'
  | 'rpm'
  | 'tpm'
  | 'used_rpm'
  | 'used_tpm'
  | 'calls_in_flight'
  | 'adaptive_concurrency'
  | 'adaptive_rpm'
>

/** Of one provider. */
export interface LimitFigures {
  readonly name: string
  /** Of the config; `*` for what stands behind its wildcards. */
  readonly models: readonly string[]
  readonly keyCount: number
  readonly limits: {
    /** As configured, for each key. */
    readonly rpm: number | null
    readonly tpm: number | null
    readonly concurrency: number | null
    /** Of each key, over all of its models or of one. */
    readonly seen: readonly Meter[]
  }
}

/** Each is summed over the keys of a provider: which key it was is in `GET /v1/providers`. */
export const limitMetrics = (providers: readonly LimitFigures[]): readonly Metric[] => [
  gauge(
    'baton_limit_requests_per_minute',
    'Requests a minute over all keys: configured, told, learned, and used in the last one.',
    providers.flatMap(provider => [
      ...configured(provider, provider.limits.rpm),
      ...seen(provider, 'told', meter => meter.rpm),
      ...seen(provider, 'learned', meter => meter.adaptive_rpm),
      ...seen(provider, 'used', meter => meter.used_rpm),
    ]),
  ),
  gauge(
    'baton_limit_tokens_per_minute',
    'Tokens a minute over all keys: configured, told, and used in the last one.',
    providers.flatMap(provider => [
      ...configured(provider, provider.limits.tpm),
      ...seen(provider, 'told', meter => meter.tpm),
      ...seen(provider, 'used', meter => meter.used_tpm),
    ]),
  ),
  gauge(
    'baton_limit_calls',
    'Calls at once over all keys: configured, learned, and used now.',
    providers.flatMap(provider => [
      ...configured(provider, provider.limits.concurrency),
      ...seen(provider, 'learned', meter => meter.adaptive_concurrency),
      ...seen(provider, 'used', meter => meter.calls_in_flight),
    ]),
  ),
]

const configured = ({ name, keyCount }: LimitFigures, ofKey: number | null): Sample[] =>
  ofKey === null
    ? []
    : [{ labels: { provider: name, model: '', kind: 'configured' }, value: ofKey * Math.max(1, keyCount) }]

/** By model; empty for what counts over all models of a key. */
const seen = (
  { name: provider, models, limits }: LimitFigures,
  kind: string,
  read: (meter: Meter) => number | null,
): Sample[] => {
  // Clients name what stands behind a wildcard, so that is told together.
  const isShared = models.includes(anyModel)
  const labelOf = (model: string): string =>
    model === '' || !isShared || models.includes(model) ? model : anyModel
  const known = limits.seen.flatMap(meter => {
    const value = read(meter)
    return value === null ? [] : [{ model: labelOf(meter.model ?? ''), value }]
  })
  return [...Map.groupBy(known, ({ model }) => model)].map(([model, meters]) => ({
    labels: { provider, model, kind },
    value: meters.reduce((sum, { value }) => sum + value, 0),
  }))
}
