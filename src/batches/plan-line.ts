import type { FirstTarget } from '../dispatch/first-target.ts'
import type { Providers, Routes } from '../dispatch/routes.ts'
import { BatonError } from '../domain/errors.ts'
import { faultOfStructure } from '../domain/request-structure.ts'
import { stateNamed } from '../domain/routing/kept-state.ts'
import { tokensOf } from '../domain/routing/strategy.ts'
import { batchJobId } from '../redis/keys.ts'
import { parseAnthropicLine } from './anthropic-line.ts'
import { formatSkipped, type LineRefusal, type SkipReason } from './finished-line.ts'
import type { BatchRequest, LineFault } from './line-fault.ts'
import { parseOpenAiLine } from './openai-line.ts'
import { createPriceGaps, sayPriceGap } from './price-gaps.ts'
import type { InputLine } from './read-lines.ts'
import type { BatchRecord } from './record.ts'
import type { BatchJob } from './steps.ts'

/** What becomes of a line: a job, or at once a done line. */
export type PlannedLine = { readonly job: BatchJob } | { readonly skipped: string }

export interface PlanDeps {
  readonly firstTarget: FirstTarget
  readonly routes: Routes
  readonly providers: Providers
  /** Whether lines go before those of other batches from now on. */
  readonly isUrgent: () => boolean
  readonly now: () => number
}

/** Plans the lines of one batch. `instead`: why no line becomes a job any more. */
export type PlanLine = (line: InputLine, number: number, instead: SkipReason | null) => PlannedLine

export const createPlanLine = (
  batch: BatchRecord,
  { firstTarget, routes, providers, isUrgent, now }: PlanDeps,
): PlanLine => {
  const gaps = createPriceGaps(routes, providers, batch.endpoint)

  const jobOf = (request: BatchRequest, line: InputLine, number: number): BatchJob => {
    const { customId, model, body } = request
    const fault = faultOfStructure(batch.endpoint, request.parsedBody)
    if (fault !== null) throw fault
    const gap = batch.maxCostUsd === null ? null : gaps.of(model)
    if (gap !== null) throw new BatonError('price_unknown', sayPriceGap(gap))
    const id = batchJobId(batch.id, number)
    const state = stateNamed(batch.endpoint, request.parsedBody, body)
    const asked = {
      endpoint: batch.endpoint,
      text: body,
      headers: batch.headers,
      body: () => request.parsedBody,
      // Not asked for: lines are planned by the hundred.
      ...(state && { state: { ...state, at: null } }),
    }
    return {
      id,
      tenant: batch.tenant,
      endpoint: batch.endpoint,
      model,
      body,
      headers: batch.headers,
      ...firstTarget(model, asked, id),
      tokens: tokensOf(batch.endpoint, body),
      createdAtMs: now(),
      expiresAtMs: batch.expiresAtMs,
      priority: 'default',
      ...(isUrgent() && { urgent: true }),
      webhook: null,
      metadata: null,
      retryOf: null,
      idempotency: null,
      customId,
      line: number,
      bytes: line.bytes?.length ?? 0,
    }
  }

  return (line, number, instead) => {
    const request = readRequest(batch, line)
    if (instead !== null) return { skipped: formatSkipped(number, request.customId, instead) }
    if ('fault' in request) return { skipped: rejected(number, request.customId, request.fault) }
    try {
      return { job: jobOf(request, line, number) }
    } catch (error) {
      // The routes have changed since the file was validated, no target can serve it, or it lacks what any would need.
      if (!(error instanceof BatonError)) throw error
      return { skipped: rejected(number, request.customId, error) }
    }
  }
}

type ReadRequest = BatchRequest | { readonly customId: string; readonly fault: LineFault }

const readRequest = (batch: BatchRecord, line: InputLine): ReadRequest => {
  if (batch.dialect === 'anthropic') return parseAnthropicLine(line, batch.apiVersion)
  const read = parseOpenAiLine(line, batch.endpoint)
  // Validated files have no such line, unless another version of this server judged them.
  return 'code' in read ? { customId: '', fault: read } : read
}

const rejected = (number: number, customId: string, { code, message, param }: LineRefusal): string =>
  formatSkipped(number, customId, 'rejected', { code, message, param })
