import type { Logger } from 'pino'
import { type JobErrorCode, jobErrorCodes } from '../domain/job.ts'
import type { ObstacleOf } from '../domain/obstacle.ts'
import { placeOf } from '../domain/place.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import {
  nextStep,
  type RoutingLimits,
  type RoutingState,
  type Step,
  spends,
} from '../domain/routing/next-step.ts'
import { costOfAll } from '../domain/usage.ts'
import type { WorkerHeartbeat } from '../health/heartbeats.ts'
import { jobDoorbell, parseDoorbell } from '../jobs/doorbell.ts'
import type { JobRecord } from '../jobs/record.ts'
import type { JobStore } from '../jobs/types.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { createRepeating, type Repeating } from '../lifecycle/repeating.ts'
import { type Doorbells, providerQueue } from '../queue/doorbells.ts'
import type { Entry } from '../queue/ready-list.ts'
import { isMirrorId } from '../redis/keys.ts'
import { noTargetError } from './first-target.ts'
import { futileWaitEnd } from './futile-wait.ts'
import type { HandoverThrottle } from './handover-throttle.ts'
import { createHandoverThrottle } from './handover-throttle.ts'
import type { MoveReasons } from './move-reasons.ts'
import { isLastResort, lastResortsLast, targetsFor } from './request-targets.ts'
import { atAccount, type Providers, type Routes, requestOf } from './routes.ts'
import type { OrderTargets } from './target-order.ts'

export interface DrainerDeps {
  /** Providers whose workers may be missed. */
  readonly drainable: readonly string[]
  readonly withoutWorkerSince: (provider: string) => number
  /** Providers that were taken out of the config: nobody will serve their queues. */
  readonly formerProviders: () => Promise<readonly string[]>
  readonly routes: Routes
  readonly providers: Providers
  /** Unix ms from which a job may be sent to a target; 0 for now. */
  readonly availableAt: (target: RouteTarget) => number
  readonly order: OrderTargets
  readonly moveReasons: Pick<MoveReasons, 'skipped'>
  readonly store: Pick<JobStore, 'passOn' | 'readHeads' | 'readBody' | 'claim' | 'finalise'>
  readonly doorbells: Pick<Doorbells, 'ring' | 'page' | 'take' | 'withdraw'>
  readonly backoffOf: RoutingLimits['backoffOf']
  readonly obstacleOf: ObstacleOf
  /** Names a claim of this process. */
  readonly newToken: () => string
  readonly maxAttempts: number
  /** How fast jobs may leave a provider. */
  readonly throttleOf: (provider: string) => Pick<HandoverThrottle, 'tryAcquire'>
  /** Whether this process is the one that empties a queue, for some seconds from now. */
  readonly mayEmpty: (queue: string) => Promise<boolean>
  readonly log: Logger
  readonly now: () => number
}

const pollMs = 250
/** Doorbells that are read at a time. */
const pageSize = 500

/**
 * Moves jobs out of the queue of a provider that has no worker, to the next target of their routes that is in
 * use, as fast as its workers take them. Jobs with no other target stay, except those with an open
 * connection: no worker would end the vain wait, so they end here. From the queue of a provider that the
 * config no longer has, all jobs leave: those that no target can serve end. A job moves in one write to its record. A
 * process that dies in between leaves it either at the old target or at the new one, where its doorbell is
 * owed; its old doorbell leads nowhere.
 */
export const createDrainer = (parts: DrainerDeps): Repeating => {
  const { routes, providers, store, doorbells, log, now } = parts
  /** Doorbells at the head of each queue whose jobs have no other target. */
  const passed = new Map<string, number>()

  const limits: RoutingLimits = { retries: 0, maxAttempts: parts.maxAttempts, backoffOf: parts.backoffOf }

  /** The routing state of a job whose provider has no worker, or none for good; null where the job cannot be moved. */
  const walkOf = async (record: JobRecord, isFormer: boolean): Promise<RoutingState | null> => {
    const whole = routes.get(record.model)
    // What it depends on is nowhere else.
    const route = whole && atAccount(whole, record.home ?? null)
    const isAwaited = record.class === 'interactive'
    if (route === undefined || (route.targets.length < 2 && !isAwaited && !isFormer)) return null
    const body = await store.readBody(record.id)
    if (body === null) return null
    const request = requestOf(record.endpoint, body, record.headers)
    const eligible = targetsFor(route, providers, request)
    const isLast = isLastResort(route, eligible)
    const isHere = ({ provider }: RouteTarget): boolean => provider === record.target.provider
    return {
      seed: record.id,
      expiresAtMs: record.expiresAtMs,
      targets: lastResortsLast(parts.order(route, eligible.targets, request, record.id), isLast),
      isLastResort: isLast,
      attempts: record.attempts,
      spent: record.attempts.filter(call => !call.mirror && spends(call)).length,
      hop: record.hop,
      current: route.targets.find(t => isHere(t) && t.model === record.target.model) ?? null,
      refusalHandsOver: route.refusalHandsOver,
      availableAt: t => (isHere(t) ? Number.MAX_SAFE_INTEGER : parts.availableAt(t)),
    }
  }

  /**
   * Ends a job whose connection would wait in vain; false where the job has to wait. A worker's claim comes
   * first.
   */
  const endInVain = async (record: JobRecord, walk: RoutingState): Promise<boolean> => {
    const { id, hop, generation } = record
    const end = futileWaitEnd(record, walk, limits, parts.obstacleOf)
    if (end === null) return false
    const claim = await store.claim(id, hop, generation, parts.newToken())
    if (typeof claim === 'string') return true
    await store.finalise(claim, { ...end, attempts: [], costUsd: costOfAll(record.attempts) })
    log.info(
      { event: 'job.unserved', jobId: id, code: end.error?.code },
      'job ended: no target can serve it in time',
    )
    return true
  }

  const passOn = async (record: JobRecord, { provider, model }: RouteTarget): Promise<boolean> => {
    const { id, hop } = record
    const note = parts.moveReasons.skipped(hop, record.target, [])
    if (!(await store.passOn(record, { provider, model }, note))) return true
    log.info(
      { event: 'job.handed_over', jobId: id, hop: hop + 1, provider, reason: note.reason },
      'job handed over',
    )
    const ring = {
      queue: providerQueue(provider),
      doorbell: jobDoorbell(id, hop + 1, 0),
      place: placeOf(record),
    }
    await doorbells
      .ring(ring)
      .catch(error =>
        log.debug({ event: 'doorbell.deferred', err: error, jobId: id }, 'doorbell left to the sweeper'),
      )
    return true
  }

  /** Ends a job whose provider is gone and that no other target can serve. */
  const endWithoutTarget = async (record: JobRecord, code: JobErrorCode): Promise<void> => {
    const { id, hop, generation } = record
    const claim = await store.claim(id, hop, generation, parts.newToken())
    if (typeof claim === 'string') return
    const error =
      code === 'no_usable_target' ? noTargetError(claim, parts) : { code, message: jobErrorCodes[code] }
    const end = { status: 'failed', response: null, error, refused: false, usage: null } as const
    await store.finalise(claim, { ...end, attempts: [], costUsd: costOfAll(record.attempts) })
    log.info({ event: 'job.unserved', jobId: id, code }, 'job ended: no target can serve it in time')
  }

  /** A target that cannot be called yet has a worker who knows what to do until then. */
  const leave = async (record: JobRecord, walk: RoutingState | null): Promise<'gone' | 'full'> => {
    const step: Step =
      walk === null ? { kind: 'fail', code: 'no_usable_target' } : nextStep(walk, limits, now(), Math.random)
    if (step.kind === 'fail') {
      await endWithoutTarget(record, step.code)
      return 'gone'
    }
    const target = 'target' in step ? step.target : walk!.targets[0]!
    if (!parts.throttleOf(record.target.provider).tryAcquire(target.provider)) return 'full'
    await passOn(record, target)
    return 'gone'
  }

  /** A job that was parked is so until its doorbell is answered. */
  const waitsHere = (record: JobRecord | null, name: string, provider: string): record is JobRecord =>
    (record?.status === 'queued' || record?.status === 'parked') &&
    record.target.provider === provider &&
    jobDoorbell(record.id, record.hop, record.generation) === name

  /** What became of a doorbell in the queue of a provider without a worker. `full`: the next target takes no more for now. */
  const relieveOf = async (
    { doorbell }: Entry,
    record: JobRecord | null,
    provider: string,
    isFormer: boolean,
  ): Promise<'stays' | 'gone' | 'full'> => {
    if (parseDoorbell(doorbell).kind !== 'job') return 'stays'
    if (!waitsHere(record, doorbell, provider)) return 'gone'
    const walk = isMirrorId(record.id) ? null : await walkOf(record, isFormer)
    if (isFormer) return leave(record, walk)
    if (walk === null) return 'stays'
    const step = nextStep(walk, limits, now(), Math.random)
    if (step.kind !== 'call') return (await endInVain(record, walk)) ? 'gone' : 'stays'
    if (!parts.throttleOf(provider).tryAcquire(step.target.provider)) return 'full'
    await passOn(record, step.target)
    return 'gone'
  }

  const relieve = async (provider: string, isFormer: boolean): Promise<void> => {
    const queue = providerQueue(provider)
    if (!(await parts.mayEmpty(queue))) return
    // What its last worker took with it comes back.
    await doorbells.take(queue, { chunk: '', most: 0, worker: '', free: 0, claimed: [] })
    const from = passed.get(queue) ?? 0
    const entries = await doorbells.page(queue, from, pageSize)
    const records = await store.readHeads(entries.map(({ doorbell }) => parseDoorbell(doorbell).jobId))
    const gone: Entry[] = []
    let kept = 0
    for (const [i, entry] of entries.entries()) {
      const became = await relieveOf(entry, records[i]!, provider, isFormer)
      if (became === 'full') break
      if (became === 'gone') gone.push(entry)
      else kept += 1
    }
    await doorbells.withdraw(queue, gone)
    // At the end of the queue, from its head again: another target may have come back.
    passed.set(queue, entries.length < pageSize ? 0 : from + kept)
  }

  return createRepeating(
    'drainer',
    pollMs,
    async () => {
      for (const provider of parts.drainable)
        if (parts.withoutWorkerSince(provider) > 0) await relieve(provider, false)
      for (const provider of await parts.formerProviders()) await relieve(provider, true)
    },
    log,
  )
}

type Same =
  | 'routes'
  | 'providers'
  | 'order'
  | 'moveReasons'
  | 'store'
  | 'withoutWorkerSince'
  | 'formerProviders'
  | 'mayEmpty'
  | 'availableAt'
  | 'backoffOf'
  | 'maxAttempts'
  | 'obstacleOf'
  | 'log'
  | 'now'

interface DrainerSite extends Pick<DrainerDeps, Same> {
  readonly doorbells: Doorbells
  readonly instance: string
  readonly workers: () => Promise<readonly WorkerHeartbeat[]>
}

/** Every process runs it, in every role: any of them may be the only one left. */
export const openDrainer = async (life: Lifecycle, site: DrainerSite): Promise<void> => {
  const { providers, doorbells, instance, workers, log, now } = site
  let tokens = 0
  const throttles = new Map<string, HandoverThrottle>()
  const waiting = (provider: string): Promise<number> => doorbells.waiting(providerQueue(provider))
  const throttleOf = (from: string): HandoverThrottle => {
    const throttle = throttles.get(from) ?? createHandoverThrottle({ from, waiting, workers, log, now })
    throttles.set(from, throttle)
    return throttle
  }
  await life.open(
    'drainer',
    () => {
      const drainer = createDrainer({
        ...site,
        drainable: [...providers.keys()],
        throttleOf,
        newToken: () => `${instance}.r${tokens++}`,
      })
      drainer.start()
      return drainer
    },
    drainer => drainer.stop(),
  )
}
