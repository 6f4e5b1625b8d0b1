import type { Reporter, TestModule } from 'vitest/node'

/** Ends a run with one plain line of counts, for readers of logs: `tests: 812 passed, 0 failed, 3 skipped`. */
export const createPlainSummary = (write: (line: string) => void = console.log): Reporter => ({
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        // A test without a result was cut off before its end.
        counts[state === 'pending' ? 'failed' : state] += 1
      }
      // A file that could not be loaded or set up has no failed test to show for it.
      counts.failed += errorsBesideTests(module)
    }
    counts.failed += unhandledErrors.length
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
    write(`tests: ${counts.passed} passed, ${counts.failed} failed${skipped}`)
  },
})

const errorsBesideTests = (module: TestModule): number =>
  module.errors().length + [...module.children.allSuites()].flatMap(suite => suite.errors()).length
