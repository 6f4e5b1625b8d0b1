import type { Verdict } from '../classify/verdict.ts'
import type { Target } from '../job.ts'

/**
 * Vendors sell spare capacity as a tier of its own, cheap and often full. A full tier says nothing about the
 * model in other tiers.
 */
const fullTier: ReadonlySet<string> = new Set([
  'resource_unavailable', // OpenAI
  'capacity_exceeded', // Groq
  'http_498', // Groq, without a body
])

/** The quotes are not escaped, so this cannot be part of a prompt's text. */
const asksForFlex = (body: string): boolean => /"service_tier"\s*:\s*"flex"/.test(body)

/** Whether the answer to this request says that the tier it asks for is full, and no more than that. */
export const isFlexFull = ({ kind, reason }: Verdict, body: string): boolean =>
  (kind === 'rate_limited' || kind === 'overloaded') && fullTier.has(reason) && asksForFlex(body)

/** The tier, as a target beside the model's other calls. */
export const flexOf = ({ provider, model }: Target): Target => ({ provider, model: `${model}@flex` })

/**
 * Unix ms until which a request cannot be called there for its tier; 0 for now. `untilOf`: see
 * `HealthBoard.unavailableUntil`.
 */
export const flexFullUntil = (target: Target, body: string, untilOf: (target: Target) => number): number => {
  const untilMs = untilOf(flexOf(target))
  return untilMs > 0 && asksForFlex(body) ? untilMs : 0
}
