import type { Endpoint } from '../domain/endpoint.ts'
import type { UpstreamOutcome } from '../domain/upstream.ts'
import { usageOf } from '../domain/usage.ts'
import { isStreamedInside, longCallMs, type UpstreamStream } from './streams-inside.ts'

/** What a model was seen to do holds for so long: then it is tried again, since a server may have been mended. */
const rememberedMs = 60 * 60_000
/** Where any model may be called, clients choose the names. */
const mostModels = 1_000

/** When something was last seen of a model; forgotten after an hour. */
class Sightings {
  readonly #atMs = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  note(name: string): void {
    this.#atMs.delete(name)
    this.#atMs.set(name, this.#now())
    if (this.#atMs.size > mostModels) this.#atMs.delete(this.#atMs.keys().next().value!)
  }

  has(name: string): boolean {
    return this.#now() - (this.#atMs.get(name) ?? Number.NEGATIVE_INFINITY) < rememberedMs
  }
}

/** By which servers and edges refuse a request that they do not understand or do not allow. */
const refusals: ReadonlySet<number> = new Set([400, 404, 405, 415, 422, 501])
const namesOptions = /\bstream_options\b|\binclude_usage\b/
const namesStream = /\bstream(?:ing|ed|s|_options)?\b|\binclude_usage\b/i
/** Beyond it, a text is what an error quotes. */
const wordsWithin = 4_096

/**
 * What a refusal names: `options` where it is the question for the usage that this process has added, `stream` where it is
 * streaming as such, as OpenAI does to accounts that are not verified; null for any other outcome. It may be named by chance, so
 * that only an answer to the same without it tells.
 */
export const streamRefusalOf = (outcome: UpstreamOutcome): 'options' | 'stream' | null => {
  if (outcome.kind !== 'answer' || !refusals.has(outcome.status)) return null
  const words = outcome.text.slice(0, wordsWithin)
  if (namesOptions.test(words)) return 'options'
  return namesStream.test(words) ? 'stream' : null
}

const isGood = (outcome: UpstreamOutcome): boolean => outcome.kind === 'answer' && outcome.status < 300

/** What this process has seen of a provider's models that decides how they are asked, by endpoint. */
export class StreamingHabits {
  readonly #slow: Sightings
  readonly #unstreamed: Sightings
  readonly #withoutOptions: Sightings

  constructor(now: () => number) {
    this.#slow = new Sightings(now)
    this.#unstreamed = new Sightings(now)
    this.#withoutOptions = new Sightings(now)
  }

  /** Whether a call that nobody reads along is streamed. */
  streamsInside(mode: UpstreamStream, endpoint: Endpoint, model: string, text: string): boolean {
    const name = nameOf(endpoint, model)
    return isStreamedInside(mode, endpoint, text, this.#slow.has(name)) && !this.#unstreamed.has(name)
  }

  /** Whether a stream is asked for its usage. */
  takesOptions(endpoint: Endpoint, model: string): boolean {
    return !this.#withoutOptions.has(nameOf(endpoint, model))
  }

  took(endpoint: Endpoint, model: string, ms: number): void {
    if (ms >= longCallMs) this.#slow.note(nameOf(endpoint, model))
  }

  /** A stream that nobody reads has brought an answer: one that lacks its usage is to come as a whole from now on. */
  broughtInside(endpoint: Endpoint, model: string, outcome: UpstreamOutcome): void {
    const isMeagre = isGood(outcome) && outcome.kind === 'answer' && usageOf(outcome.json) === null
    if (isMeagre) this.#unstreamed.note(nameOf(endpoint, model))
  }

  /** What came without the stream, or its options, that were refused before: an answer shows that they were to blame. */
  broughtWithout(
    what: 'options' | 'stream',
    endpoint: Endpoint,
    model: string,
    outcome: UpstreamOutcome,
  ): void {
    const sightings = what === 'options' ? this.#withoutOptions : this.#unstreamed
    if (isGood(outcome)) sightings.note(nameOf(endpoint, model))
  }
}

const nameOf = (endpoint: Endpoint, model: string): string => `${endpoint} ${model}`
