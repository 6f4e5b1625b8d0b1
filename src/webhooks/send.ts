import type { LookupFunction } from 'node:net'
import { Agent } from 'undici'
import { explicitRetryAfterMs } from '../domain/classify/retry-after.ts'
import { traceHeaders } from '../telemetry/tracing.ts'
import type { AddressGuard } from './address-guard.ts'
import { type Resolve, resolveAll } from './address-guard.ts'
import { createGuardedConnector } from './guarded-connect.ts'
import { type PostAnswer, post, type TransportFailure, transportFailure } from './post.ts'
import { createReach } from './reach.ts'
import { type SignedHeaders, signedHeaders } from './sign.ts'

export interface WebhookRequest {
  readonly url: string
  /** In whose share the name of the receiver is looked up. */
  readonly tenant: string
  /** The event's id; sent as `webhook-id`. */
  readonly id: string
  /** JSON text, sent byte for byte as it was signed. */
  readonly body: string
  /** `whsec_…`, the newest first. */
  readonly secrets: readonly string[]
  readonly nowMs: number
  /** Ends the attempt early: shutdown. */
  readonly signal: AbortSignal
}

export type DeliveryFailure =
  | TransportFailure
  | 'status' // answered, but not with 2xx
  | 'redirect' // answered with 3xx, which is not followed: the target was never checked or agreed to
  | 'gone' // answered 410: the receiver wants no more
  | 'timeout' // no answer within the timeout
  | 'unavailable' // not tried: the receiver fails for others
  | 'unmade' // the event could not be made from the record; nothing was sent
  | 'unsignable' // no secret, or one that cannot sign; nothing was sent

export type DeliveryOutcome =
  | { readonly delivered: true; readonly status: number }
  | {
      readonly delivered: false
      readonly reason: DeliveryFailure
      /** Null when no answer came. */
      readonly status: number | null
      /** Milliseconds the receiver asked to be left alone, or null. */
      readonly retryAfterMs: number | null
    }

export interface WebhookSender {
  /** One attempt at one delivery. Never throws. */
  send(request: WebhookRequest): Promise<DeliveryOutcome>
  /** Ends attempts still under way as `aborted`, so drain first. May be called twice. */
  close(): Promise<void>
}

export interface WebhookSenderOptions {
  readonly guard: AddressGuard
  /** The longest one attempt may take, from name resolution to the answer's headers. */
  readonly timeoutMs: number
  readonly userAgent: string
  readonly resolve?: Resolve
  /** Resolves the proxy. */
  readonly lookup?: LookupFunction | undefined
  /** By which receivers are reached; none when absent. */
  readonly proxy?: URL | null
}

/** An idle connection is dropped soon and a busy one after a minute, so that receivers can move to another address. */
const keepAliveMs = 4_000
const connectionTtlMs = 60_000

const failed = (
  reason: DeliveryFailure,
  status: number | null = null,
  retryAfterMs: number | null = null,
): DeliveryOutcome => ({ delivered: false, reason, status, retryAfterMs })

const judge = (answer: PostAnswer, nowMs: number): DeliveryOutcome => {
  const { status } = answer
  if (status === null)
    return failed(answer.cause === 'failed' ? transportFailure(answer.error) : answer.cause)
  if (status >= 200 && status < 300) return { delivered: true, status }
  if (status === 410) return failed('gone', status)
  if (status < 400) return failed('redirect', status)
  const retryAfter = String(answer.headers['retry-after'] ?? '')
  return failed('status', status, explicitRetryAfterMs({ 'retry-after': retryAfter }, nowMs))
}

const sign = ({ id, body, secrets, nowMs }: WebhookRequest): SignedHeaders | null => {
  try {
    return signedHeaders({ id, body, secrets, timestampSec: Math.floor(nowMs / 1_000) })
  } catch {
    // The error is left behind: it speaks of a secret.
    return null
  }
}

export const createWebhookSender = (options: WebhookSenderOptions): WebhookSender => {
  const { guard, timeoutMs, userAgent, resolve = resolveAll, proxy = null } = options
  const reach = createReach(resolve)
  const agent = new Agent({
    connect: createGuardedConnector(guard, {
      timeoutMs,
      resolve: reach.resolve,
      proxy,
      lookup: options.lookup,
    }),
    allowH2: false,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    clientTtl: connectionTtlMs,
    // The one timeout over the whole attempt rules; undici's own would only blur it.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  let closed: Promise<void> | null = null

  const send = async (request: WebhookRequest): Promise<DeliveryOutcome> => {
    const signature = sign(request)
    if (signature === null) return failed('unsignable')
    const { origin, hostname, pathname, search } = new URL(request.url)
    const posted = {
      origin,
      path: `${pathname}${search}`,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': userAgent,
        ...traceHeaders(),
        ...signature,
      },
      body: request.body,
    } as const
    const { tenant, signal } = request
    const answer = await reach.within({ hostname, tenant, signal }, timeoutMs, leftMs =>
      post(agent, posted, { timeoutMs: leftMs, signal }),
    )
    return judge(answer, request.nowMs)
  }

  return {
    send,
    close: () => {
      closed ??= agent.destroy()
      return closed
    },
  }
}
