import { createHmac } from 'node:crypto'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { after, send } from './deliver.ts'
import { createHttpListener, type ListenOptions, readBody } from './http-listener.ts'

/** What the receiver does with one delivery, or with `times` in a row (1 when absent; Infinity for all that follow). */
type WebhookReaction = { readonly times?: number } & (
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'hang' }
  | { readonly kind: 'slow'; readonly delayMs: number }
)

/** Hands out scripted reactions in their order, and null once they are used up. */
function createReactionQueue() {
  const queue: { reaction: WebhookReaction; left: number }[] = []

  return {
    push(reactions: readonly WebhookReaction[]): void {
      queue.push(...reactions.map(reaction => ({ reaction, left: reaction.times ?? 1 })))
    },
    next(): WebhookReaction | null {
      const first = queue[0]
      if (first === undefined) return null
      first.left--
      if (first.left <= 0) queue.shift()
      return first.reaction
    },
  }
}

/** One request that arrived, whatever was answered. */
export interface Delivery {
  /** The `webhook-id`, the same on every repetition; empty when the header is missing. */
  readonly id: string
  readonly isVerified: boolean
  /** The body parsed, or undefined when it did not verify. */
  readonly event: unknown
  /** The body as it came. */
  readonly text: string
  readonly headers: IncomingHttpHeaders
  /** What was answered, or is about to be; null for one that hangs. */
  readonly status: number | null
  /** When it had come, in Unix ms. */
  readonly atMs: number
}

export interface WebhookReceiver {
  /** `http://host:port`; throws before `start` has answered. */
  readonly url: string
  /** Everything that arrived, in order. */
  readonly deliveries: readonly Delivery[]
  /** Events taken: verified and answered 2xx, each `webhook-id` once. */
  readonly events: readonly unknown[]
  /** Verified deliveries for each `webhook-id`; more than 1 is a repetition. */
  readonly countById: ReadonlyMap<string, number>
  start(options?: ListenOptions): Promise<{ readonly url: string }>
  stop(): Promise<void>
  /** Lays down what the next verified deliveries meet, in order; after them the answer is 200 again. */
  script(...reactions: readonly WebhookReaction[]): void
  /** Resolves once the deliveries satisfy the predicate; rejects after `timeoutMs` (10 s when absent). */
  waitFor(predicate: (deliveries: readonly Delivery[]) => boolean, timeoutMs?: number): Promise<void>
}

interface Waiter {
  readonly predicate: (deliveries: readonly Delivery[]) => boolean
  readonly resolve: () => void
}

const toleranceMs = 5 * 60_000

/** The event, or undefined when the signature, the time or a header is wrong. */
function verify(secret: string, text: string, headers: IncomingHttpHeaders): unknown {
  const [id, time, signatures] = ['id', 'timestamp', 'signature'].map(name => headers[`webhook-${name}`])
  if (typeof signatures !== 'string' || Math.abs(Date.now() - Number(time) * 1_000) > toleranceMs)
    return undefined
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const right = createHmac('sha256', key).update(`${id}.${time}.${text}`).digest('base64')
  return signatures.split(' ').includes(`v1,${right}`) ? JSON.parse(text) : undefined
}

function statusOf(reaction: WebhookReaction | null): number | null {
  if (reaction?.kind === 'status') return reaction.status
  if (reaction?.kind === 'redirect') return 302
  return reaction?.kind === 'hang' ? null : 200
}

function headersOf(reaction: WebhookReaction | null): Record<string, string> {
  if (reaction?.kind === 'redirect') return { location: reaction.location }
  return reaction?.kind === 'status' ? { ...reaction.headers } : {}
}

function react(res: ServerResponse, reaction: WebhookReaction | null, status: number | null): void {
  if (status === null) return
  const delayMs = reaction?.kind === 'slow' ? reaction.delayMs : 0
  after(delayMs, res, () => send(res, { status, headers: headersOf(reaction), body: '' }))
}

/**
 * The other end of a webhook: a real HTTP server that trusts only the signature. What does not verify is
 * answered 401 and spends no scripted reaction.
 */
export function createWebhookReceiver({ secret }: { readonly secret: string }): WebhookReceiver {
  const reactions = createReactionQueue()
  const deliveries: Delivery[] = []
  const events: unknown[] = []
  const taken = new Set<string>()
  const countById = new Map<string, number>()
  const waiters = new Set<Waiter>()

  function note(delivery: Delivery): void {
    const { id, isVerified, event, status } = delivery
    deliveries.push(delivery)
    if (isVerified) countById.set(id, (countById.get(id) ?? 0) + 1)
    if (isVerified && status !== null && status < 300 && !taken.has(id)) {
      taken.add(id)
      events.push(event)
    }
    for (const waiter of waiters) if (waiter.predicate(deliveries)) waiter.resolve()
  }

  const listener = createHttpListener((req, res) => {
    readBody(req, text => {
      const { headers } = req
      const event = verify(secret, text, headers)
      const isVerified = event !== undefined
      const reaction = isVerified ? reactions.next() : null
      const status = isVerified ? statusOf(reaction) : 401
      const id = String(headers['webhook-id'] ?? '')
      note({ id, isVerified, event, text, headers, status, atMs: Date.now() })
      react(res, reaction, status)
    })
  })

  async function waitFor(predicate: Waiter['predicate'], timeoutMs = 10_000): Promise<void> {
    if (predicate(deliveries)) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { predicate, resolve }
    const give = () =>
      reject(new Error(`no such deliveries within ${timeoutMs} ms; ${deliveries.length} came`))
    const timer = setTimeout(give, timeoutMs)
    waiters.add(waiter)
    await promise.finally(() => {
      clearTimeout(timer)
      waiters.delete(waiter)
    })
  }

  return {
    get url() {
      return listener.url
    },
    deliveries,
    events,
    countById,
    start: listener.start,
    stop: listener.stop,
    script: (...laidDown) => reactions.push(laidDown),
    waitFor,
  }
}
