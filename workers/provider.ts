import type { Logger } from 'pino'
import { healthCheckOf } from '../src/config/health-check.ts'
import type { ProviderConfig } from '../src/config/schema.ts'
import type { Core } from '../src/context.ts'
import { type CallsInFlight, createCallsInFlight } from '../src/dispatch/calls-in-flight.ts'
import { createProviderCheck, longestCheckMs } from '../src/dispatch/check-provider.ts'
import { createBodyHolder } from '../src/dispatch/claimed-bodies.ts'
import { createJobExecutor, type ExecuteJob } from '../src/dispatch/execute-job.ts'
import type { ExecutorParts } from '../src/dispatch/executor-parts.ts'
import { coolingWorthWaiting, createHandoverPace, otherProviderFor } from '../src/dispatch/handover-pace.ts'
import { createLeases } from '../src/dispatch/leases.ts'
import { mirrorJobs } from '../src/dispatch/mirror-jobs.ts'
import { openShareCall } from '../src/dispatch/open-share-call.ts'
import { createResultWrites, type ResultWrites } from '../src/dispatch/persist.ts'
import { modelsAt } from '../src/dispatch/routes.ts'
import { createUpstreamCaller } from '../src/dispatch/upstream-caller.ts'
import { createWorkCounters, type WorkCounters } from '../src/dispatch/work-counters.ts'
import type { RouteTarget } from '../src/domain/chain.ts'
import { type CircuitSettings, usualRunOf } from '../src/domain/circuit-terms.ts'
import { flexFullUntil } from '../src/domain/flex-tier.ts'
import { type GateParts, type OpenGate, openGate } from '../src/health/open-gate.ts'
import { createHeartbeat, readPresence, type WorkerPresence } from '../src/health/presence.ts'
import type { TargetGate } from '../src/health/target-gate.ts'
import { parseDoorbell } from '../src/jobs/doorbell.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import { type ConsumerOptions, createConsumer } from '../src/queue/consumer.ts'
import { providerQueue } from '../src/queue/doorbells.ts'
import type { Admission } from '../src/rate-limits/admission.ts'
import { openAdmission } from '../src/rate-limits/open-admission.ts'
import { claimBytesOf } from './claim-bytes.ts'

/** What the worker of one provider is opened with. */
interface Site {
  readonly core: Core
  readonly name: string
  readonly settings: ProviderConfig
  readonly log: Logger
}

/** Answers one provider's doorbells until the process stops. Scales by running more processes of it. */
export const openProviderWorker = async (life: Lifecycle, core: Core, name: string): Promise<void> => {
  const { config, keys, doorbells, now } = core
  const settings = config.providers[name]!
  const { concurrency } = settings
  const site: Site = { core, name, settings, log: core.log.child({ provider: name }) }
  const calls = await life.open(
    'calls',
    () => createCallsInFlight(now),
    calls => calls.close(),
  )
  const way = await openWay(life, site)
  const writes = createResultWrites(site.log)
  const counters = createWorkCounters()
  const execute = await openExecutor(life, site, { calls, way, writes, counters })
  const { admission } = way

  const consumer = createConsumer({
    queue: providerQueue(name),
    concurrency,
    lockMs: config.jobs.lock_ms,
    redis: core.redis,
    doorbells,
    keys,
    log: site.log,
    room: roomOf(core, way),
    answer: async (name, taken) => {
      const parsed = parseDoorbell(name)
      if (parsed.kind !== 'job') return
      const arrived = admission.expect()
      const claimed = (): void => {
        arrived()
        taken()
      }
      await execute(parsed.jobId, parsed.hop, parsed.ring, claimed).finally(arrived)
    },
  })
  await life.open(
    `worker ${name}`,
    () => consumer.start(),
    async (_, leftMs) => {
      admission.stopWaiting()
      await consumer.stop(leftMs(), () => calls.abortAll('shutdown'))
      await writes.settled()
    },
  )

  const describe = (): WorkerPresence => ({
    provider: name,
    instance: core.instance,
    pid: process.pid,
    breaker: way.guard.state,
    callsInFlight: calls.size,
    concurrency,
    counts: counters.read(),
    seenAtMs: now(),
  })
  core.vitals.worker(describe)
  core.vitals.check(`worker ${name}`, () => consumer.isRunning)
  const heartbeat = createHeartbeat(core.redis, keys.prefix, site.log, describe)
  await life.open(
    `heartbeat ${name}`,
    () => heartbeat.start(),
    () => heartbeat.stop(),
  )
  site.log.info({ event: 'worker.started', concurrency }, 'worker started')
}

/** What a call passes on its way to the provider: the health of both, and the limits of its keys. */
type Way = OpenGate & { readonly admission: Admission }

const openWay = async (life: Lifecycle, { core, name, settings, log }: Site): Promise<Way> => {
  const { concurrency, limits } = settings
  const goesElsewhere = otherProviderFor(name, core)
  const opened = await openGate(life, {
    ...core,
    goesElsewhere,
    provider: name,
    models: modelsAt(core.routes, name),
    settings: circuitSettingsOf(settings),
    concurrency,
    check: healthCheckFor(core, name, log),
    log,
  })
  const admission = await openAdmission(life, {
    ...core,
    provider: name,
    limits,
    concurrency,
    keys: core.keyRings.get(name)!,
    goesElsewhere,
    log,
  })
  return { ...opened, admission }
}

/** What the worker takes from its queue: what the limits allow, and instead of calls that hang when the provider is left, others. */
const roomOf = (core: Core, { admission, gate }: Way): ConsumerOptions['room'] => {
  const { circuits, isolation, config } = core
  const bytes = claimBytesOf(core)
  const hasBytes = (): boolean => bytes.held < config.jobs.max_bytes_in_flight
  return {
    left: () => (isolation.isOpen && hasBytes() ? admission.room : 0),
    idle: () => gate.hanging,
    onChange: listener => {
      bytes.onRelease(listener)
      admission.onRoom(listener)
      circuits.onChange(listener)
      isolation.onChange(listener)
    },
  }
}

interface ExecutorNeeds {
  readonly calls: CallsInFlight
  readonly way: Way
  readonly writes: ResultWrites
  readonly counters: WorkCounters
}

/** What answers a doorbell. It needs leases, a part in shared calls, and an ear for cancels. */
const openExecutor = async (
  life: Lifecycle,
  { core, name, settings, log }: Site,
  { calls, way, writes, counters }: ExecutorNeeds,
): Promise<ExecuteJob> => {
  const { config, store, now } = core
  const { gate, admission } = way
  const { persist } = writes
  const leaseMs = config.jobs.lock_ms
  const leases = await life.open(
    'leases',
    () => {
      const leases = createLeases(store, leaseMs, log)
      leases.start()
      return leases
    },
    leases => leases.stop(),
  )
  const { shareCall, dropCall } = await openShareCall(life, { ...core, calls, leaseMs, persist, log })
  await life.open(
    'aborts',
    () => listenForAborts(core, dropCall),
    stop => stop(),
  )
  const caller = createUpstreamCaller({
    ...{ gate, admission, log, now },
    provider: core.providers.get(name)!,
    keys: core.keyRings.get(name)!,
    board: core.board,
    redact: core.redact,
    noted: core.figures.note,
  })
  let tokens = 0
  return createJobExecutor({
    ...core,
    ...{ calls, leases, shareCall, persist, log },
    provider: name,
    store: counters.store(store),
    caller: counters.caller(caller),
    holdBody: createBodyHolder({ ...core, bytes: claimBytesOf(core), persist }),
    mirrors: mirrorJobs({ ...core, log }),
    retries: settings.retries,
    maxAttempts: config.jobs.max_attempts,
    availableAt: target =>
      target.provider === name
        ? core.indictedUntil(target) || gate.opensAt(target.model)
        : core.availableAt(target),
    flexFullUntil: (target, body) => flexFullUntil(target, body, core.board.unavailableUntil),
    isReturning: target => target.provider === name && gate.isReturning(target.model),
    mayHandOver: handoverRule(core, name, gate, log),
    isStopping: () => life.stopping,
    unfinished: writes.track,
    newToken: () => `${core.instance}.${tokens++}`,
    random: Math.random,
  })
}

/** Who was called here and turned away goes on at once. A queue that goes on without a call would be moved whole. */
const handoverRule = (
  core: Core,
  name: string,
  gate: TargetGate,
  log: Logger,
): ExecutorParts['mayHandOver'] => {
  const { redis, keys, doorbells, now } = core
  const isWorthWaiting = coolingWorthWaiting(name, core)
  const coolsForLong = (target: RouteTarget): boolean =>
    core.indictedUntil(target) > now() && !isWorthWaiting(target)
  const pace = createHandoverPace({
    from: name,
    waiting: provider => doorbells.waiting(providerQueue(provider)),
    workers: () => readPresence(redis, keys.prefix, now()),
    log,
    now,
  })
  return (provider, from, hasCalled) =>
    (!gate.isShut && (hasCalled || coolsForLong(from))) || pace.takes(provider)
}

/** How the provider is asked while nobody calls it; null where it is not, or where no route leads to it. */
const healthCheckFor = (core: Core, name: string, log: Logger): GateParts['check'] => {
  const { config, board, providers, keyRings, redact, routes, now } = core
  const settings = config.providers[name]!
  const check = healthCheckOf(settings)
  const target = [...routes.values()].flatMap(route => route.targets).find(t => t.provider === name)
  if (!check || !target) return null
  const keys = keyRings.get(name)!
  const { kind, intervalMs, model = target.model } = check
  const ask = createProviderCheck({
    provider: providers.get(name)!,
    ...{ keys, board, redact, log, now },
    model: kind === 'models' ? null : model,
    timeoutMs: Math.min(settings.timeout_ms, longestCheckMs),
  })
  return { intervalMs, keylessUntil: keys.unavailableUntil, ask }
}

const circuitSettingsOf = ({ breaker, recovery }: ProviderConfig): CircuitSettings => ({
  windowMs: breaker.window_ms,
  errorPercent: breaker.error_percent,
  minCalls: breaker.min_calls,
  runLength: breaker.consecutive_failures ?? usualRunOf(breaker.min_calls),
  slowFactor: breaker.slow_factor,
  resetMs: breaker.reset_ms,
  maxResetMs: recovery.max_reset,
  rampMs: recovery.ramp,
  checkMs: recovery.check,
  firstShare: recovery.first_share,
})

/** A cancelled job's call is dropped in whatever process it runs. */
const listenForAborts = async (
  { subscriber, keys }: Core,
  dropCall: (jobId: string) => void,
): Promise<() => void> => {
  const onMessage = (channel: string, jobId: string): void => {
    if (channel === keys.abortChannel) dropCall(jobId)
  }
  subscriber.on('message', onMessage)
  await subscriber.subscribe(keys.abortChannel)
  return () => subscriber.off('message', onMessage)
}
