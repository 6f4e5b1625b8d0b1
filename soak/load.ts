import { setTimeout as delay } from 'node:timers/promises'
import type { Api } from '../harness/api.ts'
import type { Kind, Ledger } from './ledger.ts'
import { callDoor, runJob } from './single-requests.ts'
import { linesPerBatch, runBatch, runMessageBatch } from './small-batches.ts'

export interface Load {
  /** Sends until the signal, and resolves when all that was begun is over. */
  run(signal: AbortSignal): Promise<void>
}

export interface LoadOptions {
  readonly api: Api
  readonly ledger: Ledger
  readonly rate: number
  readonly webhookUrl: string
}

const tickMs = 20

/** Seven of ten requests are single jobs, two wait for their answer, and one is a line of a batch. */
const kindOf = (index: number): Kind | null => {
  const place = index % 10
  if (place < 7) return 'job'
  if (place < 9) return 'door'
  // A whole batch for every twentieth of its lines.
  return Math.floor(index / 10) % linesPerBatch === 0 ? 'batch' : null
}

/** Makes `rate` requests a second without waiting for answers, so that a server that falls behind shows. */
export const createLoad = ({ api, ledger, rate, webhookUrl }: LoadOptions): Load => {
  const open = new Set<Promise<void>>()

  const actions: Readonly<Record<Kind, (index: number) => Promise<void>>> = {
    job: index => runJob(api, ledger, index, webhookUrl),
    door: index => callDoor(api, ledger, index),
    batch: index =>
      Math.floor(index / (10 * linesPerBatch)) % 2 === 0 ? runBatch(api, index) : runMessageBatch(api, index),
  }

  const begin = (kind: Kind, index: number): void => {
    ledger.began(kind)
    const running = actions[kind](index)
      .then(
        () => ledger.ended(kind),
        (error: Error) =>
          ledger.failed(kind, error.cause ? `${error.message}: ${error.cause}` : error.message),
      )
      .finally(() => open.delete(running))
    open.add(running)
  }

  return {
    run: async signal => {
      const startedAt = performance.now()
      for (let sent = 0; !signal.aborted; ) {
        const due = ((performance.now() - startedAt) / 1_000) * rate
        for (; sent < due; sent++) {
          const kind = kindOf(sent)
          if (kind !== null) begin(kind, sent)
        }
        await delay(tickMs, undefined, { signal }).catch(() => undefined)
      }
      await Promise.all(open)
    },
  }
}
