import type { Endpoint } from '../endpoint.ts'
import { costOf, type Price } from '../usage.ts'
import type { TargetFigures } from './target-stats.ts'

/** About how many tokens a request has and its answer will have. */
interface Tokens {
  readonly input: number
  readonly output: number
}

/** A rule of thumb for English and the JSON around it. */
const charactersPerToken = 4
/** An answer of two or three paragraphs: what is asked for at most says little of what comes. */
const usualAnswer = 500

const limit = /"max_(?:completion_|output_)?tokens"\s*:\s*(\d+)/

/**
 * Guessed from the text alone, which is not parsed for it: it chooses between targets and holds a budget, no
 * more.
 */
export const sizeOf = (endpoint: Endpoint, text: string): Tokens => {
  const input = Math.ceil(text.length / charactersPerToken)
  if (endpoint === '/v1/embeddings') return { input, output: 0 }
  const [, most] = limit.exec(text) ?? []
  return { input, output: most === undefined ? usualAnswer : Math.min(Number(most), usualAnswer) }
}

/** What a request is estimated to take in all, in tokens. */
export const tokensOf = (endpoint: Endpoint, text: string): number => {
  const { input, output } = sizeOf(endpoint, text)
  return input + output
}

/**
 * In which order a route's targets are asked. `ordered`: as they stand in the chain. `weighted`: each is
 * first for its share of jobs. `cheapest`: by what the request will cost, with the calls that fail on the
 * way. `fastest`: by how long answers took of late, or the first content of those that are streamed.
 */
export const strategies = ['ordered', 'weighted', 'cheapest', 'fastest'] as const
export type Strategy = (typeof strategies)[number]

interface Orderable {
  readonly price?: Price
}

export interface Choice<Target> {
  readonly strategy: Strategy
  /**
   * The share of jobs a target is to have, next to the others'; one without a share is asked when no other
   * can serve.
   */
  weightOf(target: Target): number
  figuresOf(target: Target): TargetFigures
  /** How large the request is. */
  readonly tokens: Tokens
  /** Whether somebody reads the answer while it comes. */
  readonly isStreamed: boolean
  /**
   * A number between 0 and 1 for a name: always the same for a job, so that its order does not change from
   * hop to hop by chance.
   */
  chance(name: string): number
  keyOf(target: Target): string
}

/**
 * The share of jobs, on routes by speed, that ask another target than the fastest first: so one that was
 * slow is seen to recover.
 */
export const explorers = 0.05

/** A failure halves the weight, as long as it is recent and no answer came since. */
export const weightNow = (weight: number, { failures }: TargetFigures): number => weight * 0.5 ** failures

/**
 * Weighted random order (exponential races, Efraimidis and Spirakis): targets are sorted by −ln(u)/weight, so
 * each comes first as often as its share of the weights says.
 */
const ringsAt = <Target>(target: Target, choice: Choice<Target>): number =>
  -Math.log(choice.chance(choice.keyOf(target))) /
  weightNow(choice.weightOf(target), choice.figuresOf(target))

const costAt = ({ price }: Orderable, { input, output }: Tokens): number =>
  costOf({ input_tokens: input, output_tokens: output }, price) ?? Number.POSITIVE_INFINITY

/** Far above what any request costs. */
const oftenFailing = 1e9

/**
 * The price of an answer where only a share of the calls succeeds. An answer takes 1/share calls, and each is
 * paid and waited for: a failure without a bill still costs time. A target that fails more often than not
 * comes after all others, even if it is free.
 */
export const weighedCost = (costUsd: number, { successShare }: Pick<TargetFigures, 'successShare'>): number =>
  costUsd / successShare ** 2 + (successShare < 0.5 ? oftenFailing : 0)

/** Longer than any answer takes. */
const behindAllMs = 1e12

/** Of a stream, the reader waits for the first content; one that streamed nothing of late is compared behind those that did. */
const speedOf = <Target>(target: Target, { figuresOf, isStreamed }: Choice<Target>): number => {
  const { p95Ms, firstTokenP95Ms } = figuresOf(target)
  const wholeMs = p95Ms ?? Number.POSITIVE_INFINITY
  return isStreamed ? (firstTokenP95Ms ?? behindAllMs + wholeMs) : wholeMs
}

/**
 * One job in so many begins with one of the others, each as often: the same for a job, whichever of them is
 * faster by then.
 */
const explored = <Target>(
  targets: readonly Target[],
  { chance, keyOf }: Choice<Target>,
): readonly Target[] => {
  if (chance('explorer') >= explorers) return targets
  const [fastest, ...others] = targets
  const drawn = others.map(target => ({ target, by: chance(keyOf(target)) }))
  const { target } = drawn.reduce((a, b) => (b.by > a.by ? b : a))
  return [target, fastest!, ...others.filter(other => other !== target)]
}

const measures: Readonly<
  Record<
    Exclude<Strategy, 'ordered'>,
    <Target extends Orderable>(target: Target, choice: Choice<Target>) => number
  >
> = {
  weighted: ringsAt,
  cheapest: (target, choice) => weighedCost(costAt(target, choice.tokens), choice.figuresOf(target)),
  fastest: speedOf,
}

/**
 * All targets, the best first. Those that are equal, and those of which nothing is known, stay in the order
 * of the chain.
 */
export const orderTargets = <Target extends Orderable>(
  targets: readonly Target[],
  choice: Choice<Target>,
): readonly Target[] => {
  const { strategy } = choice
  if (strategy === 'ordered' || targets.length < 2) return targets
  const measured = targets.map(target => ({ target, by: measures[strategy](target, choice) }))
  // Two infinities have no difference.
  const sorted = measured.sort((a, b) => (a.by === b.by ? 0 : a.by - b.by)).map(({ target }) => target)
  return strategy === 'fastest' ? explored(sorted, choice) : sorted
}

/**
 * Chance that is nothing but a seed and a name: FNV-1a, then mixed so that seeds which only count up differ
 * in all bits.
 */
export const chanceOf =
  (seed: string) =>
  (name: string): number => {
    let hash = 0x811c9dc5
    for (const text of [seed, '\n', name])
      for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 2 ** 32
  }
