import type { Endpoint } from '../domain/endpoint.ts'
import { byName, isNull } from '../json/edits.ts'

/** Which calls that nobody reads along are streamed from the provider nevertheless. */
export type UpstreamStream = 'auto' | 'always' | 'never'

/** Those of text, which comes in pieces and can take minutes. */
const streamed: ReadonlySet<Endpoint> = new Set(['/v1/chat/completions', '/v1/messages', '/v1/responses'])

const limitNames = ['max_tokens', 'max_completion_tokens', 'max_output_tokens']

/**
 * At 70 tokens a second, which models of the large vendors make, so many take a minute: proxies between cut a connection that is
 * silent for as long (nginx and AWS's load balancer by default).
 */
export const manyTokens = 4_096

/** A third of what such proxies wait: the model's next answer may take three times as long. */
export const longCallMs = 20_000

/** Tells most requests apart without looking at their members; the number is judged there. */
const mayBeMany = /"max_(?:completion_|output_)?tokens"\s*:\s*\d{4}/

/** What is told otherwise in a stream, or not at all by some vendors; such a call stays plain. */
const plain = ['n', 'logprobs', 'modalities', 'audio', 'background']

/**
 * Whether a call of this request is streamed from the provider although nobody reads along. `text`: its body. `isSlow`: the
 * model's calls took long of late.
 */
export const isStreamedInside = (
  mode: UpstreamStream,
  endpoint: Endpoint,
  text: string,
  isSlow: boolean,
): boolean => {
  if (mode === 'never' || !streamed.has(endpoint)) return false
  if (mode === 'auto' && !isSlow && !mayBeMany.test(text)) return false
  const members = byName(text, 0)
  const told = (name: string): string | null => {
    const member = members.get(name)
    return member === undefined || isNull(text, member) ? null : text.slice(member.start, member.end)
  }
  if (plain.some(name => told(name) !== null)) return false
  if (mode === 'always') return true
  const limit = limitNames.map(told).find(value => value !== null)
  return limit === undefined ? isSlow : Number(limit) >= manyTokens
}
