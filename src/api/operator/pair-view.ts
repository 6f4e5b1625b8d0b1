import { wholeSeconds } from '../../jobs/view.ts'
import { jsonOrString } from '../../json/json-text.ts'
import type { Pair, PairCall } from '../../mirror/pairs.ts'

/** Two answers that differed, as `GET /v1/mirrors/:route/pairs` shows them. */
export const pairView = (route: string, { atMs, jobId, endpoint, original, mirror }: Pair) => ({
  ...{ at: wholeSeconds(atMs), job_id: jobId, route, endpoint },
  original: callView(original),
  mirror: callView(mirror),
})

/** As the answer was written; the beginning of one that was cut is no JSON, and so a string. */
const callView = ({ provider, model, statusCode, latencyMs, costUsd, text, cut }: PairCall) => ({
  ...{ provider, model, status_code: statusCode, latency_ms: latencyMs, cost_usd: costUsd },
  ...{ answer: cut ? text : jsonOrString(text), cut },
})
