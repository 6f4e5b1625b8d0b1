import type { BehaviourInput } from '../src/sim/behaviour.ts'
import type { SimProvider } from '../src/sim/sim-provider.ts'

const phases = ['throttling', 'broken down', 'back'] as const
export type Phase = (typeof phases)[number]

/** The simulated primary, steered by how much is answered, so that it breaks down mid-run on any machine. */
export interface Primary {
  readonly phase: Phase
  /** `share` of all requests (0 to 1) is answered. One phase at a time, so that none is left out where a look comes late. */
  advance(share: number): void
}

const latency = { kind: 'lognormal', medianMs: 150, sigma: 0.4 } as const
const throttle = { rps: 30, burst: 15 }

export const primaryAtFirst: BehaviourInput = { latency, throttle }

const behaviours: Record<Phase, BehaviourInput> = {
  throttling: primaryAtFirst,
  'broken down': {
    latency,
    fault: [
      { kind: 'error-503', rate: 0.6 },
      { kind: 'reset', rate: 0.25 },
      { kind: 'hang', rate: 0.15 },
    ],
  },
  back: { latency, throttle },
}

/** The share from which each begins. It comes back early enough to have all of its traffic again before a run of the usual size is over. */
const beginsAt: Record<Phase, number> = { throttling: 0, 'broken down': 0.2, back: 0.42 }

export const steerPrimary = (sim: Pick<SimProvider, 'script'>): Primary => {
  let phase: Phase = 'throttling'
  return {
    get phase() {
      return phase
    },
    advance: share => {
      const next = phases[phases.indexOf(phase) + 1]
      if (next === undefined || share < beginsAt[next]) return
      phase = next
      sim.script(behaviours[next])
    },
  }
}
