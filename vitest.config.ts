import { configDefaults, defineConfig } from 'vitest/config'
import { createPlainSummary } from './test/support/plain-summary.ts'

/** Fail-overs of several servers are timed in seconds: `npm run test:failover`, on a machine that does nothing else. */
export const failovers = [
  'test/faults/redis-{sentinel,cluster,replicas}.test.ts',
  'test/redis/topologies.test.ts',
]

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...failovers],
    globalSetup: ['test/support/global-redis.ts'],
    reporters: ['default', createPlainSummary()],
    pool: 'forks',
    // vitest leaves a core to itself, which on two cores means one file at a time; most tests wait more than they work.
    maxWorkers: 2,
    // Bounds for what hangs, not for what is slow: a test waits on conditions, and a busy machine may be late for each.
    testTimeout: 90_000,
    hookTimeout: 120_000,
  },
})
