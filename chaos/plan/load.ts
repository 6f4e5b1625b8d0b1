import type { Random } from '../random.ts'
import { rejectedRoute, routes, scriptedRoutes, stuckRoute } from './routes.ts'
import { type Tenant, tenants } from './tenants.ts'

/**
 * What a request is made to meet, and with it how it may end:
 *
 * - `plain` is answered, whatever happens to the cluster.
 * - `scripted` meets an error of its provider first, and is answered then.
 * - `rejected` is called faulty by the provider: it fails.
 * - `malformed` is refused at the door: no job, no call.
 * - `cancelled` is cancelled by its client some time after it was accepted, which may be too late.
 * - `stuck` is never answered by any provider, and expires.
 */
export type Fate = 'plain' | 'scripted' | 'rejected' | 'malformed' | 'cancelled' | 'stuck'

export type HookKind = 'kept' | 'gone' | 'named' | 'hanging'

export interface JobOrder {
  readonly tenant: Tenant
  /** Unique, and in the body, so that the simulated providers know whose call it is. */
  readonly marker: string
  readonly fate: Fate
  readonly model: string
  /** After the start of the run. */
  readonly atMs: number
  readonly window: string
  /**
   * `gone` answers 410, so that the delivery becomes a dead letter; `named` is found by a name server that falls silent now and
   * then; `hanging` takes connections and answers nothing, now and then.
   */
  readonly webhook: HookKind | null
  readonly priority: 'low' | 'default' | 'high'
  /** After it was accepted; only where the fate is `cancelled`. */
  readonly cancelAfterMs: number
  /** How long its client reads the stream before it cuts itself off, and goes on; null for a job that is not streamed. */
  readonly cutsAfterMs: number | null
}

export interface LineOrder {
  /** Both the line's custom_id and the marker in its body. */
  readonly marker: string
  readonly fate: 'plain' | 'scripted' | 'rejected' | 'stuck'
  readonly model: string
}

export interface BatchOrder {
  readonly tenant: Tenant
  readonly name: string
  readonly atMs: number
  readonly window: string
  readonly lines: readonly LineOrder[]
  readonly webhook: boolean
  /** How long after it was accepted its client cancels it; null for never. */
  readonly cancelAfterMs: number | null
}

export interface LoadPlan {
  readonly jobs: readonly JobOrder[]
  readonly batches: readonly BatchOrder[]
}

export interface LoadSize {
  readonly jobs: number
  readonly batches: number
  readonly lines: number
  readonly durationMs: number
}

/** The shortest that the API takes. */
const shortestWindow = '1m'
const longWindow = '2h'
/** A run shorter than this does not wait for anything to expire. */
const timeToExpireMs = 90_000

/** Each holds a place at its provider until it expires, so they are few. */
const stuckLines = 4

const shareOf: Readonly<Record<Fate, number>> = {
  scripted: 0.06,
  rejected: 0.03,
  malformed: 0.02,
  cancelled: 0.05,
  stuck: 0.004,
  plain: 1,
}

/** The first fate whose share the draw falls in; what is left is plain. */
const drawFate = <F extends Fate>(random: Random, fates: readonly F[]): F | 'plain' => {
  let draw = random.next()
  for (const fate of fates) {
    draw -= shareOf[fate]
    if (draw < 0) return fate
  }
  return 'plain'
}

const modelFor = (random: Random, fate: Fate): string => {
  if (fate === 'scripted') return random.pick(scriptedRoutes)
  if (fate === 'rejected') return rejectedRoute
  if (fate === 'stuck') return stuckRoute
  return random.pick(routes)
}

const hooks: readonly HookKind[] = ['kept', 'kept', 'kept', 'named', 'hanging']

const streamedShare = 0.2
/** Fates that a stream may meet: then it has an answer to be compared with. */
const canBeStreamed = (fate: Fate): boolean => fate === 'plain' || fate === 'scripted'

/** Load goes on almost to the end, so that the last faults still meet some. */
const loadShare = 0.95

export const planLoad = (random: Random, { jobs, batches, lines, durationMs }: LoadSize): LoadPlan => {
  const canExpire = durationMs >= timeToExpireMs
  const jobFates = (['scripted', 'rejected', 'malformed', 'cancelled', 'stuck'] as const).filter(
    fate => fate !== 'stuck' || canExpire,
  )
  const lineFates = ['scripted', 'rejected'] as const
  const atMs = () => Math.floor(random.next() * durationMs * loadShare)

  const planJob = (number: number): JobOrder => {
    const fate = drawFate(random, jobFates)
    return {
      tenant: random.pick(tenants),
      marker: `j${number}`,
      fate,
      model: modelFor(random, fate),
      atMs: atMs(),
      window: fate === 'stuck' || random.chance(0.05) ? shortestWindow : longWindow,
      webhook: random.chance(0.7) ? (random.chance(0.04) ? 'gone' : random.pick(hooks)) : null,
      priority: random.pick(['low', 'default', 'default', 'default', 'high']),
      cancelAfterMs: random.int(0, 3_000),
      cutsAfterMs: canBeStreamed(fate) && random.chance(streamedShare) ? random.int(100, 2_000) : null,
    }
  }

  const planBatch = (number: number): BatchOrder => {
    const name = `b${number}`
    // Evenly, so that there is a batch to hurt at any time.
    const turn = (durationMs * 0.8) / Math.max(1, batches)
    const expires = canExpire && number % 7 === 4
    return {
      tenant: random.pick(tenants),
      name,
      atMs: Math.floor((number - 1 + random.next() * 0.5) * turn),
      window: expires ? shortestWindow : longWindow,
      lines: Array.from({ length: lines }, (_, index): LineOrder => {
        const isStuck = expires && index % Math.ceil(lines / stuckLines) === 0
        const fate = isStuck ? 'stuck' : drawFate(random, lineFates)
        return { marker: `${name}-l${index + 1}`, fate, model: modelFor(random, fate) }
      }),
      webhook: random.chance(0.8),
      cancelAfterMs: number % 7 === 3 ? random.int(500, 6_000) : null,
    }
  }

  return {
    jobs: Array.from({ length: jobs }, (_, index) => planJob(index + 1)).toSorted((a, b) => a.atMs - b.atMs),
    batches: Array.from({ length: batches }, (_, index) => planBatch(index + 1)),
  }
}

/**
 * As a client writes it. The simulated models repeat the question, so that an answer can be matched with it.
 */
export const chatBody = (marker: string, model: string, fate: Fate, isStreamed = false): object => ({
  model,
  user: marker,
  messages: fate === 'malformed' ? [] : [{ role: 'user', content: questionOf(marker) }],
  ...(isStreamed && { stream: true }),
})

export const questionOf = (marker: string): string => `the question of ${marker}`
export const answerTo = (marker: string): string => `echo: ${questionOf(marker)}`
