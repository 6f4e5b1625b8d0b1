import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { healthCheckOf } from '../src/config/health-check.ts'
import type { ProviderConfig } from '../src/config/schema.ts'
import type { Core } from '../src/core.ts'
import type { RouteTarget } from '../src/domain/chain.ts'
import type { CircuitSettings } from '../src/domain/health.ts'
import { type GateParts, openGate } from '../src/health/open-gate.ts'
import { createHeartbeat, readPresence } from '../src/health/presence.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import { openAdmission } from '../src/limits/open-admission.ts'
import { createConsumer } from '../src/queue/consumer.ts'
import { parseDoorbell } from '../src/queue/doorbell.ts'
import { providerQueue } from '../src/queue/doorbells.ts'
import { isRedisTrouble } from '../src/redis/trouble.ts'
import { createCallsInFlight } from '../src/relay/calls-in-flight.ts'
import { createProviderCheck, longestCheckMs } from '../src/relay/check-provider.ts'
import { createJobExecutor } from '../src/relay/execute-job.ts'
import { coolingWorthWaiting, createHandoverPace, otherProviderFor } from '../src/relay/handover-pace.ts'
import { createLeases } from '../src/relay/leases.ts'
import { mirrorJobs } from '../src/relay/mirror-jobs.ts'
import { openShareCall } from '../src/relay/open-share-call.ts'
import { modelsAt } from '../src/relay/routes.ts'
import { createUpstreamCaller } from '../src/relay/upstream-caller.ts'
import { createWorkCounters } from '../src/relay/work-counters.ts'

const persistPauseMs = 500
const maxRefusals = 5

/** Answers one provider's doorbells until the process stops. Scales by running more processes of it. */
export const openProviderWorker = async (life: Lifecycle, core: Core, name: string): Promise<void> => {
  const { config, keys, board, store, doorbells, now } = core
  const settings = config.providers[name]!
  const log = core.log.child({ provider: name })
  const calls = await life.open(
    'calls',
    () => createCallsInFlight(now),
    calls => calls.close(),
  )
  const leases = await life.open(
    'leases',
    () => {
      const leases = createLeases(store, config.jobs.lock_ms, log)
      leases.start()
      return leases
    },
    leases => leases.stop(),
  )
  let tokens = 0
  const { gate, guard } = await openGate(life, {
    ...core,
    provider: name,
    models: modelsAt(core.routes, name),
    settings: circuitSettingsOf(settings),
    concurrency: settings.concurrency,
    check: healthCheckFor(core, name, log),
    log,
  })
  const admission = await openAdmission(life, {
    ...core,
    provider: name,
    limits: settings.limits,
    concurrency: settings.concurrency,
    keys: core.keyRings.get(name)!,
    goesElsewhere: otherProviderFor(name, core),
    log,
  })
  const persist = async <T>(write: () => Promise<T>): Promise<T> => {
    for (let refusals = 1; ; refusals++) {
      try {
        return await write()
      } catch (error) {
        // Trouble of Redis passes; a fault of ours or a damaged record would hold a place here for ever. The patrol
        // finds the job.
        if (!isRedisTrouble(error) && refusals >= maxRefusals) throw error
        log.error({ err: error }, 'redis refused a write, trying again')
        await delay(persistPauseMs)
      }
    }
  }

  const leaseMs = config.jobs.lock_ms
  const { shareCall, dropCall } = await openShareCall(life, { ...core, calls, leaseMs, persist, log })
  await life.open(
    'aborts',
    () => listenForAborts(core, dropCall),
    stop => stop(),
  )

  const unfinished = new Set<Promise<void>>()
  const track = (write: Promise<void>): void => {
    // The record still says that the job runs; the patrol will find that nobody does.
    const tracked = write
      .catch(error => log.error({ err: error }, 'result not written'))
      .finally(() => unfinished.delete(tracked))
    unfinished.add(tracked)
  }

  const isWorthWaiting = coolingWorthWaiting(name, core)
  const coolsForLong = (target: RouteTarget): boolean =>
    core.indictedUntil(target) > now() && !isWorthWaiting(target)
  const pace = createHandoverPace({
    from: name,
    waiting: provider => doorbells.waiting(providerQueue(provider)),
    workers: () => readPresence(core.redis, keys.prefix, now()),
    log,
    now,
  })

  const counters = createWorkCounters()
  const execute = createJobExecutor({
    provider: name,
    store: counters.store(store),
    doorbells,
    caller: counters.caller(
      createUpstreamCaller({
        provider: core.providers.get(name)!,
        gate,
        keys: core.keyRings.get(name)!,
        admission,
        board,
        noted: core.figures.note,
        log,
        now,
      }),
    ),
    calls,
    leases,
    shareCall,
    mirrors: mirrorJobs({ ...core, log }),
    routes: core.routes,
    providers: core.providers,
    retries: settings.retries,
    maxAttempts: config.jobs.max_attempts,
    availableAt: target =>
      target.provider === name
        ? core.indictedUntil(target) || gate.opensAt(target.model)
        : core.availableAt(target),
    order: core.order,
    isReturning: target => target.provider === name && gate.isReturning(target.model),
    notes: core.notes,
    // Who was called here and turned away goes on at once. A queue that goes on without a call would be moved whole.
    mayHandOver: (provider, from, hasCalled) =>
      (!gate.isShut && (hasCalled || coolsForLong(from))) || pace.takes(provider),
    isStopping: () => life.stopping,
    persist,
    unfinished: track,
    newToken: () => `${core.instance}.${tokens++}`,
    log,
    now,
    random: Math.random,
  })

  const consumer = createConsumer({
    queue: providerQueue(name),
    concurrency: settings.concurrency,
    lockMs: config.jobs.lock_ms,
    redis: core.redis,
    doorbells,
    keys,
    log,
    room: { left: () => admission.room, onChange: admission.onRoom },
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
      await Promise.all(unfinished)
    },
  )

  const heartbeat = createHeartbeat(core.redis, keys.prefix, log, () => ({
    provider: name,
    instance: core.instance,
    pid: process.pid,
    breaker: guard.state,
    callsInFlight: calls.size,
    concurrency: settings.concurrency,
    counts: counters.read(),
    seenAtMs: now(),
  }))
  await life.open(
    `heartbeat ${name}`,
    () => heartbeat.start(),
    () => heartbeat.stop(),
  )
  log.info({ concurrency: settings.concurrency }, 'worker started')
}

/** How the provider is asked while nobody calls it; null where it is not, or where no route leads to it. */
const healthCheckFor = (core: Core, name: string, log: Logger): GateParts['check'] => {
  const { config, board, providers, keyRings, routes, now } = core
  const settings = config.providers[name]!
  const check = healthCheckOf(settings)
  const target = [...routes.values()].flatMap(route => route.targets).find(t => t.provider === name)
  if (!check || !target) return null
  const keys = keyRings.get(name)!
  const { kind, intervalMs, model = target.model } = check
  const ask = createProviderCheck({
    provider: providers.get(name)!,
    ...{ keys, board, log, now },
    model: kind === 'models' ? null : model,
    timeoutMs: Math.min(settings.timeout_ms, longestCheckMs),
  })
  return { intervalMs, keylessUntil: keys.unavailableUntil, ask }
}

const circuitSettingsOf = ({ breaker, recovery }: ProviderConfig): CircuitSettings => ({
  windowMs: breaker.window_ms,
  errorPercent: breaker.error_percent,
  minCalls: breaker.min_calls,
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
