import type { CallReport } from '../../src/health/circuit-store.ts'

/** What a process saw: its failures after its successes, where nothing else is said. */
export const tallyOf = (part: Partial<CallReport>): CallReport => ({
  ...{ era: 0, ok: 0, failed: 0, cutFromMs: 0, trippedSinceMs: 0, by: 'w1' },
  ...{ answers: 0, longest: [], late: false },
  run: part.failed ?? 0,
  reason: part.failed ? 'http_503' : '',
  ...part,
})
