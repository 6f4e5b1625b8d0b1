/** What the receiver does with one delivery, or with `times` in a row (1 when absent; Infinity for all that follow). */
export type WebhookReaction = { readonly times?: number } & (
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'hang' }
  | { readonly kind: 'slow'; readonly delayMs: number }
)

/** Hands out scripted reactions in their order, and null once they are used up. */
export function createReactionQueue() {
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
