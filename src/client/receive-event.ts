import {
  createVerifier,
  type Secrets,
  type Verified,
  WebhookError,
  type WebhookErrorCode,
  type WebhookEvent,
  type WebhookHeaders,
} from './verify-webhook.ts'

/** Ids of events that were handled, where they outlive the process; a `Set` for one that may forget them. */
export interface HandledEvents {
  has(webhookId: string): boolean | Promise<boolean>
  add(webhookId: string): unknown
}

export interface WebhookOptions extends Secrets {
  /** What is thrown here is answered with 500, and Baton delivers the event again later. */
  readonly onEvent: (event: WebhookEvent, webhookId: string) => unknown
  /**
   * Deliveries are at least once. An id is added once `onEvent` is through, and its further deliveries are answered without it. Who must
   * not handle one twice, even when the process dies in between, writes the id in the transaction of what `onEvent` does.
   */
  readonly handled?: HandledEvents
  /** Told of what was refused, and of what `onEvent` threw. */
  readonly onError?: (error: unknown) => void
}

export interface Reply {
  readonly status: number
  readonly text: string
}

const statuses: Readonly<Record<WebhookErrorCode, number>> = {
  missing_headers: 400,
  timestamp_refused: 401,
  signature_refused: 401,
  not_an_event: 400,
  body_consumed: 500,
  body_too_large: 413,
}

/** A delivery in whichever server it came to. */
export interface Delivery {
  readonly headers: WebhookHeaders
  /** Rejects with WebhookError where the bytes cannot be had. */
  body(): Promise<string | Uint8Array>
}

/** Many times what an event of Baton has. */
export const mostBodyBytes = 1_000_000

export const tooLarge = (): WebhookError =>
  new WebhookError('body_too_large', 'The body is larger than any event of Baton.')

/** Checks a delivery, handles it once, and says what to answer. Throws TypeError for a secret that is none. */
export const createReceiver = (options: WebhookOptions) => {
  const { onEvent, handled, onError } = options
  const verify = createVerifier(options)
  /** Deliveries of an event that come while it is handled wait for that one. */
  const running = new Map<string, Promise<void>>()

  const handle = async (event: WebhookEvent, id: string): Promise<void> => {
    if (await handled?.has(id)) return
    await onEvent(event, id)
    await handled?.add(id)
  }

  const once = ({ event, id }: Verified): Promise<void> => {
    const known = running.get(id)
    if (known) return known
    const mine = handle(event, id).finally(() => running.delete(id))
    running.set(id, mine)
    return mine
  }

  return async ({ headers, body }: Delivery): Promise<Reply> => {
    try {
      await once(await verify(await body(), headers))
      return { status: 204, text: '' }
    } catch (error) {
      onError?.(error)
      return error instanceof WebhookError
        ? { status: statuses[error.code], text: error.message }
        : { status: 500, text: 'The event was not handled.' }
    }
  }
}
