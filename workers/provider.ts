import type { Logger } from 'pino'
import { circuitSettingsOf } from '../src/config/provider-settings.ts'
import type { ProviderConfig } from '../src/config/schema.ts'
import type { AppContext } from '../src/context/context.ts'
import { type CallsInFlight, createCallsInFlight } from '../src/dispatch/calls-in-flight.ts'
import { createBodyHolder } from '../src/dispatch/claimed-bodies.ts'
import { createJobExecutor, type ExecutorDeps, type JobExecutor } from '../src/dispatch/execute.ts'
import { createExpressLane } from '../src/dispatch/express-lane.ts'
import { healthyAlternativeTo } from '../src/dispatch/handover-throttle.ts'
import { createLeases } from '../src/dispatch/leases.ts'
import { mirrorJobs } from '../src/dispatch/mirror-jobs.ts'
import { createResultWrites, type ResultWrites } from '../src/dispatch/persist.ts'
import { modelsAt } from '../src/dispatch/routes.ts'
import { createWake, openShareCall } from '../src/dispatch/share-call.ts'
import { createUpstreamCaller } from '../src/dispatch/upstream-caller.ts'
import { stateOf } from '../src/domain/kept-target.ts'
import { flexFullUntil } from '../src/domain/routing/flex-tier.ts'
import { createWorkerHeartbeat, type WorkerHeartbeat } from '../src/health/heartbeats.ts'
import { type OpenGate, openGate } from '../src/health/open-gate.ts'
import { parseDoorbell } from '../src/jobs/doorbell.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import { createConsumer } from '../src/queue/consumer.ts'
import { providerQueue } from '../src/queue/doorbells.ts'
import { type Admission, openAdmission } from '../src/rate-limits/admission.ts'
import { processBoundOf, readMeans } from '../src/rate-limits/process-bound.ts'
import { subscribeTo } from '../src/redis/connect.ts'
import { openCredentials } from './credentials.ts'
import { handoverRule } from './handover-rule.ts'
import { claimBytesOf, intakeOf } from './intake.ts'
import { openLiftedStops } from './lifted-stops.ts'
import { healthCheckFor } from './provider-health.ts'
import { openStepAside } from './step-aside.ts'
import { streamsOf } from './stream-writers.ts'

/** What the worker of one provider is opened with. */
interface Site {
  readonly context: AppContext
  readonly name: string
  readonly settings: ProviderConfig
  readonly log: Logger
}

/** Answers one provider's doorbells until the process stops. Scales by running more processes of it. */
export const openProviderWorker = async (
  life: Lifecycle,
  context: AppContext,
  name: string,
): Promise<void> => {
  const { config, keys, doorbells, now } = context
  const settings = config.providers[name]!
  const bound = boundOf(settings)
  const site: Site = { context, name, settings, log: context.log.child({ provider: name }) }
  const calls = await life.open(
    'calls',
    () => createCallsInFlight(now),
    calls => calls.close(),
  )
  await openCredentials(life, context, name, site.log)
  await openLiftedStops(life, context, name, site.log)
  const stepAside = await openStepAside(life, context, name, site.log)
  const way = await openWay(life, site)
  const writes = createResultWrites(site.log)
  const executor = await openExecutor(life, site, { calls, way, writes })
  const { admission } = way

  const consumer = createConsumer({
    queue: providerQueue(name),
    concurrency: bound,
    redis: context.redis,
    doorbells,
    keys,
    log: site.log,
    room: intakeOf(context, { ...way, stepAside }),
    adopt: createWake(context.store, doorbells),
    handle: async (name, onClaimed) => {
      const parsed = parseDoorbell(name)
      if (parsed.kind !== 'job') return
      const arrived = admission.reserve()
      const claimed = (): void => {
        arrived()
        onClaimed()
      }
      await executor.answer(parsed.jobId, parsed.hop, parsed.generation, claimed).finally(arrived)
    },
  })
  await life.open(
    `worker ${name}`,
    () => consumer.start(),
    async (_, leftMs, onHurry) => {
      admission.stopWaiting()
      onHurry(() => setTimeout(() => calls.abortAll('shutdown'), leftMs()).unref())
      await consumer.stop(leftMs(), () => calls.abortAll('shutdown'))
      await writes.settled()
    },
  )
  context.expressLanes.open(
    name,
    createExpressLane({
      ...{ admission, executor, log: site.log, now },
      seize: consumer.seize,
      isolation: context.isolation,
      availableAt: availableIn(site, way),
      newToken: createTokens(`${context.instance}.x`),
    }),
  )

  const describe = (): WorkerHeartbeat => ({
    provider: name,
    instance: context.instance,
    pid: process.pid,
    breaker: way.breaker.state,
    callsInFlight: calls.size,
    concurrency: admission.places,
    processBound: bound,
    counts: context.counts.work(name),
    hasKey: context.keyRings.get(name)!.unavailableUntil() === 0,
    seenAtMs: now(),
  })
  context.vitals.worker(describe)
  context.vitals.check(`worker ${name}`, () => consumer.isRunning)
  const heartbeat = createWorkerHeartbeat(context.redis, keys.prefix, site.log, describe)
  await life.open(
    `heartbeat ${name}`,
    () => heartbeat.start(),
    () => heartbeat.stop(),
  )
  site.log.info(
    { event: 'worker.started', concurrency: settings.concurrency, processBound: bound },
    'worker started',
  )
}

/** What a call passes on its way: the gate (health) and the admission (limits of its keys). */
type Way = OpenGate & { readonly admission: Admission }

const openWay = async (life: Lifecycle, { context, name, settings, log }: Site): Promise<Way> => {
  const { concurrency, limits } = settings
  const bound = boundOf(settings)
  let places = (): number => bound
  const hasHealthyAlternative = healthyAlternativeTo(name, context)
  const opened = await openGate(life, {
    redis: context.redis,
    instance: context.instance,
    circuits: context.circuits,
    circuitStore: context.circuitStore,
    now: context.now,
    hasHealthyAlternative,
    provider: name,
    models: modelsAt(context.routes, name),
    isAnswered: context.answeredModels.has,
    settings: circuitSettingsOf(settings),
    places: () => places(),
    check: healthCheckFor(context, name, log),
    log,
  })
  const admission = await openAdmission(life, {
    subscriber: context.subscriber,
    instance: context.instance,
    limitStore: context.limitStore,
    provider: name,
    limits,
    findsConcurrency: concurrency === 'auto',
    outlived: () => opened.gate.outlived,
    concurrency: bound,
    keys: context.keyRings.get(name)!,
    hasHealthyAlternative,
    log,
  })
  // A number that an operator chose is what shares are of, whatever a 429 taught.
  if (concurrency === 'auto') places = () => admission.places
  return { ...opened, admission }
}

/** Calls at once that the worker has places for. */
const boundOf = ({ concurrency }: ProviderConfig): number =>
  concurrency === 'auto' ? processBoundOf(readMeans()) : concurrency

interface ExecutorNeeds {
  readonly calls: CallsInFlight
  readonly way: Way
  readonly writes: ResultWrites
}

/** What answers a doorbell. It needs leases, a part in shared calls, and an ear for cancels. */
const openExecutor = async (
  life: Lifecycle,
  site: Site,
  { calls, way, writes }: ExecutorNeeds,
): Promise<JobExecutor> => {
  const { context, name, settings, log } = site
  const { config, redis, keys, store, doorbells, memory, isolation, providers, now } = context
  const { gate, admission } = way
  const { persist } = writes
  const leaseMs = config.jobs.lease
  const leases = await life.open(
    'leases',
    () => {
      const leases = createLeases(store, leaseMs, log)
      leases.start()
      return leases
    },
    leases => leases.stop(),
  )
  const { shareCall, dropCall } = await openShareCall(life, {
    ...{ redis, keys, store, doorbells, memory, calls, leaseMs, persist, log, now },
    cachedRoutes: context.cachedRoutes,
    ...{ routes: context.routes, telemetry: context.telemetry },
    streams: { hub: context.streamHub, logs: context.streamLogs, leavers: context.streamLeavers },
  })
  // A cancelled job's call is dropped in whatever process it runs.
  await life.open(
    'aborts',
    () => subscribeTo(context.subscriber, keys.abortChannel, dropCall),
    stop => stop(),
  )
  const caller = createUpstreamCaller({
    ...{ gate, admission, log, now },
    provider: providers.get(name)!,
    type: context.config.providers[name]!.type,
    keys: context.keyRings.get(name)!,
    cooldowns: context.cooldowns,
    redact: context.redact,
    stats: context.targetStats,
    answered: context.answeredModels,
    telemetry: context.telemetry,
  })
  return createJobExecutor({
    ...{ store, doorbells, providers, isolation, calls, leases, shareCall, persist, log, now },
    routes: context.routes,
    order: context.order,
    obstacleOf: context.obstacleOf,
    moveReasons: context.moveReasons,
    accountAffinity: context.accountAffinity,
    backoffOf: context.backoffOf,
    telemetry: context.telemetry,
    provider: name,
    caller,
    holdBody: createBodyHolder({ store, isolation, bytes: claimBytesOf(context), persist }),
    mirrors: mirrorJobs({
      ...{ redis, keys, doorbells, providers, memory, log, now },
      mirroredRoutes: context.mirroredRoutes,
    }),
    retries: settings.retries,
    maxAttempts: config.jobs.max_attempts,
    availableAt: availableIn(site, way),
    flexFullUntil: (target, body) => flexFullUntil(target, body, context.cooldowns.unavailableUntil),
    isReturning: target => target.provider === name && gate.isRamping(stateOf(target).model),
    ...handoverRule(context, name, gate, log),
    isStopping: () => life.stopping,
    unfinished: writes.track,
    openStream: streamsOf(context, log, persist),
    newToken: createTokens(`${context.instance}.`),
    random: Math.random,
  })
}

/** Of the whole process: a job may go from one of its workers to another, and the first must not pass for the second. */
let runsNamed = 0

/** Names for the runs of a worker. */
const createTokens =
  (prefix: string): (() => string) =>
  () =>
    `${prefix}${runsNamed++}`

/** Unix ms from which a target may be called from here; 0 for now. */
const availableIn =
  ({ context, name }: Site, { gate }: Way): ExecutorDeps['availableAt'] =>
  target =>
    target.provider === name
      ? context.suspendedUntil(target) || gate.availableAt(stateOf(target).model)
      : context.availableAt(target)
