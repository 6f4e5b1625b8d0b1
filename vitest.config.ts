import { defineConfig } from 'vitest/config'
import { createPlainSummary } from './test/support/plain-summary.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-redis.ts'],
    reporters: ['default', createPlainSummary()],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
