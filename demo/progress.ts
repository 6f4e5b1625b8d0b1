import { setTimeout as delay } from 'node:timers/promises'
import { hasEnded } from '../src/batches/record.ts'
import type { BatchView } from '../src/batches/view.ts'
import type { BatchClient } from '../src/cli/batch-client.ts'
import { doneOf, splitOf } from '../src/cli/batch-text.ts'
import type { Frame } from '../src/terminal/screen.ts'
import { createRate } from '../src/terminal/screen.ts'
import type { Phase } from './primary.ts'

/** What the batch itself does not show. */
export interface Surroundings {
  readonly phase: Phase
  /** Whether a provider is on its way back: the last step of that is worth being seen. */
  readonly isReturning: boolean
  readonly parked: number
  readonly webhooks: number
  /** How many will come in all. */
  readonly webhooksDue: number
}

const lookEveryMs = 200

/** Shows the batch again and again until it has ended and all webhooks have come; answers it as last seen. */
export const watchDemo = async (
  batches: Pick<BatchClient, 'read'>,
  id: string,
  look: () => Surroundings,
  show: (frame: Frame) => void,
  patience: { readonly ms: number; readonly signal: AbortSignal },
): Promise<BatchView> => {
  const endsAt = performance.now() + patience.ms
  const rate = createRate()
  for (;;) {
    const batch = await batches.read(id)
    const around = look()
    show(frameOf(batch, around, rate(doneOf(batch), performance.now())))
    const isToldWhole = around.phase === 'back' && !around.isReturning
    const isComplete = hasEnded(batch.status) && around.webhooks >= around.webhooksDue && isToldWhole
    if (isComplete || performance.now() > endsAt) return batch
    await delay(lookEveryMs, undefined, { signal: patience.signal })
  }
}

const frameOf = (batch: BatchView, around: Surroundings, perSecond: number): Frame => {
  const { total } = batch.request_counts
  const done = doneOf(batch)
  const parts = [
    `${done}/${total} lines`,
    `${Math.round(perSecond)}/s`,
    `primary ${around.phase}`,
    `answered by ${splitOf(batch).join(', ') || 'nobody yet'}`,
    `parked ${around.parked}`,
    `webhooks ${around.webhooks}/${around.webhooksDue}`,
  ]
  return {
    share: total === 0 ? 0 : done / total,
    text: total === 0 ? batch.status : parts.join(' · '),
    phase: `${batch.status} ${around.phase}`,
  }
}
