import type { Logger } from 'pino'
import type { AppContext } from '../src/context/context.ts'
import type { ExecutorDeps } from '../src/dispatch/execute.ts'
import { createHandoverThrottle, shouldWaitOut } from '../src/dispatch/handover-throttle.ts'
import type { RouteTarget } from '../src/domain/routing/chain.ts'
import { readWorkers } from '../src/health/heartbeats.ts'
import type { TargetGate } from '../src/health/target-gate.ts'
import { providerQueue } from '../src/queue/doorbells.ts'

/** A job that was called here, or whose target cools for long, hands over at once; others are throttled. */
export const handoverRule = (
  context: AppContext,
  name: string,
  gate: TargetGate,
  log: Logger,
): Pick<ExecutorDeps, 'mayHandOver' | 'whenRoom'> => {
  const { redis, keys, doorbells, now } = context
  const isWorthWaiting = shouldWaitOut(name, context)
  const coolsForLong = (target: RouteTarget): boolean =>
    context.suspendedUntil(target) > now() && !isWorthWaiting(target)
  const throttle = createHandoverThrottle({
    from: name,
    waiting: provider => doorbells.waiting(providerQueue(provider)),
    workers: () => readWorkers(redis, keys.prefix, now()),
    log,
    now,
  })
  return {
    mayHandOver: (provider, from, hasCalled) =>
      (!gate.isRestricted && (hasCalled || coolsForLong(from))) || throttle.tryAcquire(provider),
    whenRoom: throttle.whenRoom,
  }
}
