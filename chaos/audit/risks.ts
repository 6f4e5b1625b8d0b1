import type { Life } from '../cluster/supervised.ts'
import type { Fault } from '../faults/fault-log.ts'
import type { Call } from './evidence.ts'

/** A stretch of time in which answers of calls under way may get lost. Unix ms. */
export interface Risk {
  readonly fromMs: number
  readonly untilMs: number
  /** Calls of this process; null for those of any. */
  readonly caller: string | null
  /** Calls to this provider; null for those to any. */
  readonly provider: string | null
  readonly fault: Pick<Fault, 'kind' | 'target'>
}

/**
 * From the end of a call at the provider until its result is in Redis: parsing, a script, and on a machine with more
 * processes than cores, some turns of waiting.
 */
const writeMs = 1_500
/** From the end of a call at the provider until its answer is through the link and read: on a busy machine, some turns of waiting. */
const arriveMs = 750
/** After an outage of Redis: connecting again, at most a second apart, and a write that is tried again after half a second. */
const reconnectMs = 2_500
/** A process that was stopped between taking a job and calling for it makes that call when it goes on. */
const wakeMs = 1_000

/** The faults that may cost an answer which was paid for; all others stop calls before they are answered. */
export const risksOf = (
  faults: readonly Fault[],
  lives: ReadonlyMap<string, readonly Life[]>,
): readonly Risk[] => [
  ...faults.flatMap(fault => riskOf(fault)),
  // Also a process that ended in another way than we meant it to.
  ...[...lives].flatMap(([caller, its]) =>
    its.flatMap(life =>
      life.exit !== null && life.exit.code !== 0
        ? [
            {
              fromMs: life.endedAtMs! - writeMs,
              untilMs: life.endedAtMs!,
              caller,
              provider: null,
              fault: { kind: 'kill', target: caller } as const,
            },
          ]
        : [],
    ),
  ),
]

const riskOf = (fault: Fault): Risk[] => {
  const { kind, target, beganAtMs } = fault
  const endedAtMs = fault.endedAtMs ?? Number.POSITIVE_INFINITY
  const fromMs = beganAtMs - writeMs
  const any = { caller: null, provider: null, fault }
  switch (kind) {
    // That its process is gone is heard later on a busy machine than it was.
    case 'kill':
      return [{ ...any, fromMs, untilMs: beganAtMs + wakeMs, caller: target }]
    case 'freeze':
      return [{ ...any, fromMs, untilMs: endedAtMs + wakeMs, caller: target }]
    case 'redis-half-open':
      return [{ ...any, fromMs, untilMs: endedAtMs + reconnectMs, caller: target }]
    case 'redis-kill':
    case 'redis-pause':
    case 'redis-disk-full':
    case 'redis-failover':
      return [{ ...any, fromMs, untilMs: endedAtMs + reconnectMs }]
    case 'provider-half-open':
    case 'provider-down':
      return [{ ...any, fromMs: beganAtMs - arriveMs, untilMs: endedAtMs, provider: target }]
    default:
      return []
  }
}

const isAtRisk = (call: Call, risk: Risk): boolean =>
  (risk.caller === null || risk.caller === call.caller) &&
  (risk.provider === null || risk.provider === call.provider) &&
  call.startedAtMs <= risk.untilMs &&
  (call.endedAtMs ?? Number.POSITIVE_INFINITY) >= risk.fromMs

/** The first of the risks that this call ran. */
export const riskOfCall = (call: Call, risks: readonly Risk[]): Risk | undefined =>
  risks.find(risk => isAtRisk(call, risk))
