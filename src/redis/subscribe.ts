import type { Redis } from 'ioredis'

/**
 * Hands what is published on a channel to `onText` until the function that it resolves with is called. What is published while
 * the connection is down is lost: ioredis subscribes again by itself, and the caller looks for what it missed.
 */
export const subscribeTo = async (
  subscriber: Redis,
  channel: string,
  onText: (text: string) => void,
): Promise<() => void> => {
  const onMessage = (from: string, text: string): void => {
    if (from === channel) onText(text)
  }
  subscriber.on('message', onMessage)
  await subscriber.subscribe(channel)
  return () => void subscriber.off('message', onMessage)
}
