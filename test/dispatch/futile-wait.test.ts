import { describe, expect, it } from 'vitest'
import { futileWaitError } from '../../src/dispatch/futile-wait.ts'
import { healthyCircuit } from '../../src/domain/circuit.ts'
import { createObstacleOf } from '../../src/health/obstacles.ts'

const at = (provider: string) => ({ route: provider, provider, model: 'm' })
const obstacleOf = createObstacleOf({
  circuits: { of: healthyCircuit },
  cooldowns: { current: () => [] },
  keyRings: new Map(),
  withoutWorkerSince: provider => (provider === 'empty' ? 5_000 : 0),
})
const endOf = (...waits: [provider: string, readyAtMs: number][]) =>
  futileWaitError(
    waits.map(([provider, readyAtMs]) => ({ target: at(provider), readyAtMs })),
    [],
    obstacleOf,
    600_000,
  )

describe('the futile wait', () => {
  it('of a job whose only target has no worker is told, and is no throttling', () => {
    expect(endOf(['empty', 60_000])).toMatchObject({
      code: 'targets_unavailable',
      message: expect.stringContaining('No worker is running for it.'),
      last_error: { provider: 'empty', status_code: null, code: 'no_worker' },
    })
  })

  it('is not told while another target may serve before the deadline', () => {
    expect(endOf(['empty', 60_000], ['manned', 2_000])).toBeNull()
  })
})
