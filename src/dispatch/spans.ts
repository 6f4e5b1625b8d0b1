import type { Span } from '@opentelemetry/api'
import type { Endpoint } from '../domain/endpoint.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import { formatTarget } from '../jobs/record.ts'
import type { Claim } from '../jobs/types.ts'
import { providerQueue } from '../queue/doorbells.ts'
import { attribute, vendorNames } from '../telemetry/span-names.ts'
import { failed, inSpan } from '../telemetry/tracing.ts'
import type { Judgement } from './judgement.ts'

/** Runs a claimed job within a span of its submission's trace. */
export const inRunSpan = <T>(claim: Claim, run: () => Promise<T>): Promise<T> =>
  inSpan(
    `process ${claim.target.provider}`,
    () => ({
      kind: 'consumer',
      sentBy: claim.trace ?? null,
      attributes: {
        [attribute.jobId]: claim.id,
        [attribute.route]: claim.model,
        [attribute.hop]: claim.hop,
        [attribute.target]: formatTarget(claim.target),
        [attribute.queue]: providerQueue(claim.target.provider),
        [attribute.messagingSystem]: 'baton',
        [attribute.messagingOperation]: 'process',
        ...(claim.line !== undefined && { [attribute.batchLine]: claim.line }),
      },
    }),
    run,
  )

/** What a span calls each endpoint: `gen_ai.operation.name`. */
const operations: Readonly<Record<Endpoint, string>> = {
  '/v1/chat/completions': 'chat',
  '/v1/messages': 'chat',
  '/v1/responses': 'chat',
  '/v1/completions': 'text_completion',
  '/v1/embeddings': 'embeddings',
}

interface Attempted {
  readonly endpoint: Endpoint
  readonly jobId: string
  readonly hop: number
  readonly target: RouteTarget
  /** The type of the provider, by which conventions name it. */
  readonly type: string
}

/** Runs one call to a provider within a span of the conventions for GenAI. */
export const inAttemptSpan = <T>(
  { endpoint, jobId, hop, target, type }: Attempted,
  call: (span: Span | null) => Promise<T>,
): Promise<T> =>
  inSpan(
    `${operations[endpoint]} ${target.model}`,
    () => ({
      kind: 'client',
      attributes: {
        [attribute.operation]: operations[endpoint],
        [attribute.provider]: vendorNames[type] ?? target.provider,
        [attribute.requestModel]: target.model,
        [attribute.target]: formatTarget(target),
        [attribute.jobId]: jobId,
        [attribute.hop]: hop,
      },
    }),
    call,
  )

/** What came of the call; nothing of what was said. */
export const noteJudgement = (span: Span | null, { verdict, outcome, usage }: Judgement): void => {
  if (span === null) return
  span.setAttribute(attribute.verdict, verdict.kind)
  if (outcome.kind === 'answer') span.setAttribute(attribute.statusCode, outcome.status)
  if (usage) {
    span.setAttributes({
      [attribute.inputTokens]: usage.input_tokens,
      [attribute.outputTokens]: usage.output_tokens,
    })
  }
  if (verdict.kind !== 'ok' && verdict.kind !== 'refused') failed(span, verdict.reason)
}
