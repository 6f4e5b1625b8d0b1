import { z } from 'zod'
import { faultKinds } from './fault-kind.ts'

const ms = z.number().nonnegative()

const latency = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fixed'), ms }),
  z.strictObject({ kind: z.literal('uniform'), minMs: ms, maxMs: ms }),
  z.strictObject({ kind: z.literal('lognormal'), medianMs: ms, sigma: z.number().nonnegative() }),
])

const throttle = z
  .strictObject({
    rpm: z.number().positive().optional(),
    rps: z.number().positive().optional(),
    /** Requests that may come at once; a second's worth when absent, and at least one. */
    burst: z.int().positive().optional(),
    tokensPerMinute: z.number().positive().optional(),
    /** Tells nothing of it in headers but how long to stay away. */
    silent: z.boolean().optional(),
  })
  .refine(limits => limits.rpm === undefined || limits.rps === undefined, 'give rpm or rps, not both')

const fault = z.strictObject({
  kind: z.enum(faultKinds),
  /** The share of calls that meet it. */
  rate: z.number().min(0).max(1).default(1),
  /** As in a script: how long to stay away, or how late the body is. */
  ms: ms.optional(),
})

/** How a simulated provider treats the calls that bring no script of their own. */
export const behaviourSchema = z.strictObject({
  latency: latency.optional(),
  throttle: throttle.optional(),
  /** Several faults share one draw, so their rates add up. */
  fault: z.union([fault.transform(one => [one]), z.array(fault)]).default([]),
})

/** What a caller gives: `{}` is a provider that always answers at once. */
export type BehaviourInput = z.input<typeof behaviourSchema>
export type Behaviour = z.output<typeof behaviourSchema>
export type Latency = z.output<typeof latency>
export type ThrottleLimits = z.output<typeof throttle>
export type Fault = z.output<typeof fault>
