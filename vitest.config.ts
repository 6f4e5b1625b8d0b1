import { configDefaults, defineConfig } from 'vitest/config'
import { createPlainSummary } from './test/support/plain-summary.ts'

/** Fail-overs of several servers are timed in seconds: `npm run test:failover`, on a machine that does nothing else. */
export const failovers = [
  'test/faults/redis-{sentinel,cluster,replicas}.test.ts',
  'test/redis/topologies.test.ts',
]

/**
 * Tests of pure code and of what speaks to fakes over HTTP: one process reads the modules once for all of them, where a
 * process a file took 59 s rather than 9 s for the first three folders.
 */
const light = ['test/{domain,json,config,terminal,sim}/**/*.test.ts', 'test/contract/providers/**/*.test.ts']

const never = [...configDefaults.exclude, ...failovers]

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-redis.ts'],
    reporters: ['default', createPlainSummary()],
    pool: 'forks',
    // vitest leaves a core to itself, which on two cores means one file at a time; most tests wait more than they work.
    maxWorkers: 2,
    // Bounds for what hangs, not for what is slow: a test waits on conditions, and a busy machine may be late for each.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'light', include: light, exclude: never, isolate: false } },
      {
        extends: true,
        test: { name: 'whole', include: ['test/**/*.test.ts'], exclude: [...never, ...light] },
      },
    ],
  },
})
