import { configDefaults, defineConfig } from 'vitest/config'
import { createPlainSummary } from './test/support/plain-summary.ts'

/** Fail-overs of several servers are timed in seconds: `npm run test:failover`, on a machine that does nothing else. */
export const failovers = [
  'test/faults/redis-{sentinel,cluster,replicas}.test.ts',
  'test/redis/topologies.test.ts',
]

/**
 * Their files share a process, which reads the modules once: of the first three folders 59 s became 9 s. What measures
 * memory, starts whole programs or kills them has a process of its own.
 */
const shared = [
  'test/{domain,json,config,terminal,sim}/**/*.test.ts',
  'test/contract/providers/**/*.test.ts',
  'test/batches/{!(anthropic-document|read-lines),store/*}.test.ts',
  'test/{api,cache,client,clock,dispatch,files,harness,health,jobs,lifecycle,mirror,net,queue}/**/*.test.ts',
  'test/{rate-limits,text,webhooks,workers}/**/*.test.ts',
]

/** They share a browser, and a process as well. */
const inBrowser = ['test/ui/*.test.ts']

const never = [...configDefaults.exclude, ...failovers]

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-redis.ts', 'test/support/global-page.ts'],
    reporters: ['default', createPlainSummary()],
    pool: 'forks',
    // Most tests wait more than they work: of the 25 minutes that two at a time took, the two cores were busy for ten.
    maxWorkers: 4,
    // Bounds for what hangs, not for what is slow: a test waits on conditions, and a busy machine may be late for each.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'shared', include: shared, exclude: never, isolate: false } },
      {
        extends: true,
        test: {
          name: 'page',
          include: inBrowser,
          exclude: never,
          isolate: false,
          globalSetup: ['test/support/global-browser.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'own',
          include: ['test/**/*.test.ts'],
          exclude: [...never, ...shared, ...inBrowser],
          globalSetup: ['test/support/global-bundle.ts'],
        },
      },
    ],
  },
})
