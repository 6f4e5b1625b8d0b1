import type { Dialect } from '../domain/endpoint.ts'
import { failureStatus, isGivable } from '../domain/job.ts'
import { sayLastError, toldFailure } from '../domain/job-failure.ts'
import { costUnits } from '../domain/usage.ts'
import { batchJobId, ulidOf } from '../redis/keys.ts'
import type { FinishedLine } from './finished-line.ts'
import { type LineEnd, renderLine } from './output-line.ts'
import type { LineCounts } from './record.ts'

/** Finished lines, rendered and counted. */
export interface RenderedChunk {
  readonly output: string
  readonly error: string
  readonly counts: LineCounts
  readonly inputTokens: number
  readonly outputTokens: number
  /** The input tokens that were read from a provider's cache. */
  readonly cachedTokens: number
  readonly cost: number | null
  readonly providers: ReadonlyMap<string, number>
  /** Those that were jobs. */
  readonly jobs: number
  /** Bytes of their requests. */
  readonly bytes: number
}

/** The request itself is at fault; the status that our own doors would answer. */
const refusedStatus = 400

/** It was never executed, and may be sent again. */
const costLimitReached: LineEnd = {
  kind: 'failed',
  code: 'cost_limit_reached',
  message: 'This request was not executed because the batch came to its max_cost_usd.',
  param: null,
  status: null,
}

const endOf = (line: FinishedLine): LineEnd => {
  if (line.kind === 'skipped') {
    const { reason, refusal } = line
    if (reason === 'cost_limit_reached') return costLimitReached
    return reason === 'rejected' ? { kind: 'failed', ...refusal!, status: refusedStatus } : { kind: reason }
  }
  const { status, response, error } = line
  if (status === 'cancelled') return { kind: status }
  const lastError = error?.last_error
  if (status === 'expired') return { kind: status, lastError, why: lastError && sayLastError(lastError) }
  if (response && isGivable(error))
    return { kind: 'answered', ...response, requestId: requestIdOf(line.entry), adjusted: line.adjusted }
  const told = toldFailure(error!, failureStatus[error!.code])
  // From 500 the request is not at fault: the line was never answered, and may be sent again.
  return { kind: 'failed', ...told, param: null, status: told.status < 500 ? told.status : null, lastError }
}

const requestIdOf = (jobId: string): string => `req_${ulidOf(jobId)}`

export const renderChunk = (
  dialect: Dialect,
  batchId: string,
  lines: readonly FinishedLine[],
): RenderedChunk => {
  const texts: Record<'output' | 'error', string[]> = { output: [], error: [] }
  const counts = { succeeded: 0, errored: 0, canceled: 0, expired: 0 }
  const providers = new Map<string, number>()
  let [inputTokens, outputTokens, cachedTokens, bytes, jobs] = [0, 0, 0, 0, 0]
  let cost: number | null = null
  for (const line of lines) {
    const id = `batch_req_${ulidOf(batchJobId(batchId, line.number))}`
    const { file, outcome, text } = renderLine(dialect, id, line.customId, endOf(line))
    texts[file].push(text)
    counts[outcome] += 1
    if (line.kind === 'skipped') continue
    jobs += 1
    bytes += line.bytes
    inputTokens += line.usage?.input_tokens ?? 0
    outputTokens += line.usage?.output_tokens ?? 0
    cachedTokens += line.usage?.cache_read_tokens ?? 0
    if (line.costUsd !== null) cost = (cost ?? 0) + Math.round(line.costUsd * costUnits)
    if (line.response) providers.set(line.provider, (providers.get(line.provider) ?? 0) + 1)
  }
  const output = texts.output.join('')
  return {
    output,
    error: texts.error.join(''),
    counts,
    inputTokens,
    outputTokens,
    cachedTokens,
    cost,
    providers,
    jobs,
    bytes,
  }
}
