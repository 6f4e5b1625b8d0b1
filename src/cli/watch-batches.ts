import { setTimeout as delay } from 'node:timers/promises'
import { hasEnded } from '../batches/record.ts'
import type { BatchView } from '../batches/view.ts'
import { ApiUnavailable } from './api-client.ts'
import type { BatchClient } from './batch-client.ts'

/** Soon at first, so that a small batch is seen to end; then at ease. */
const pauseMs = (elapsedMs: number): number => Math.min(2_000, 200 + elapsedMs * 0.05)

/**
 * Looks at batches again and again until all have ended, and answers them then, in the order of their ids. `onLook` gets
 * them each time, or null while the API is away, which is waited out: the batches do not need it.
 *
 * @throws the ApiRefusal of the first look, as for an id that is none, and of any later one.
 */
export const watchBatches = async (
  client: Pick<BatchClient, 'read'>,
  ids: readonly string[],
  onLook: (batches: readonly BatchView[] | null) => void,
  signal: AbortSignal,
): Promise<readonly BatchView[]> => {
  const startedAt = performance.now()
  const last = new Map<string, BatchView>()
  const look = async (): Promise<readonly BatchView[] | null> => {
    for (const id of ids) {
      const known = last.get(id)
      if (known && hasEnded(known.status)) continue
      const batch = await client.read(id).catch(error => {
        if (error instanceof ApiUnavailable) return null
        throw error
      })
      if (batch === null) return null
      last.set(id, batch)
    }
    return ids.map(id => last.get(id)!)
  }
  for (;;) {
    const batches = await look()
    onLook(batches)
    if (batches?.every(({ status }) => hasEnded(status))) return batches
    await delay(pauseMs(performance.now() - startedAt), undefined, { signal })
  }
}
