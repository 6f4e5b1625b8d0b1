import { describe, expect, it } from 'vitest'
import { steerPrimary } from '../../demo/primary.ts'
import type { BehaviourInput } from '../../src/sim/behaviour.ts'

describe("the demo's primary provider", () => {
  it('goes through each of its phases, also where it is looked at too late', () => {
    const played: BehaviourInput[] = []
    const primary = steerPrimary({ script: behaviour => void played.push(behaviour) })
    const phases = [0.1, 0.9, 0.9, 1].map(share => {
      primary.advance(share)
      return primary.phase
    })
    expect(phases).toEqual(['throttling', 'broken down', 'back', 'back'])
    expect(played).toEqual([
      expect.objectContaining({ fault: expect.anything() }),
      expect.not.objectContaining({ fault: expect.anything() }),
    ])
  })
})
