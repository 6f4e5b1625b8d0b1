import { judgeBatches } from './batches.ts'
import { judgeCalls } from './calls.ts'
import { judgeCluster } from './cluster.ts'
import type { Evidence, Violation } from './evidence.ts'
import { judgeJobs } from './jobs.ts'
import { judgeStability } from './stability.ts'
import { judgeStreams } from './streams.ts'
import { judgeWebhooks } from './webhooks.ts'

/** Every promise that was not kept; empty when all were. Looks at nothing but the evidence. */
export const judge = (evidence: Evidence): readonly Violation[] => [
  ...judgeJobs(evidence),
  ...judgeStreams(evidence),
  ...judgeBatches(evidence),
  ...judgeStability(evidence),
  ...judgeWebhooks(evidence),
  ...judgeCalls(evidence),
  ...judgeCluster(evidence),
]
