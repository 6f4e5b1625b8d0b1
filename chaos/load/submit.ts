import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, bodyOf } from '../../harness/api.ts'
import { uploadForm } from '../../src/cli/batch-client.ts'
import type { Receivers } from '../cluster/receivers.ts'
import { chatBody, type JobOrder } from '../plan/load.ts'
import type { BatchEntry, JobEntry, Ledger } from './ledger.ts'
import { readStream } from './read-stream.ts'
import { authorizationOf, type TenantApi } from './tenant-api.ts'

const endpoint = '/v1/chat/completions'

export interface SubmitOptions {
  readonly api: TenantApi
  readonly apiUrl: string
  readonly ledger: Ledger
  /** Keeps the keys of this run apart from those of another. */
  readonly seed: number
  readonly startedAtMs: number
  readonly urlFor: Receivers['urlFor']
  readonly signal: AbortSignal
}

/** Submits everything at its time, and cancels what is to be cancelled. Resolves when all of it was answered for good. */
export const submitAll = async (options: SubmitOptions): Promise<void> => {
  const { api, apiUrl, ledger, seed, startedAtMs, urlFor, signal } = options
  const until = (atMs: number): Promise<void> => delay(Math.max(0, atMs - Date.now()), undefined, { signal })

  /** 200: its end is that. Anything else says that it had come to its end before. */
  const cancel = async (path: string, afterMs: number): Promise<{ status: number; atMs: number }> => {
    await delay(afterMs, undefined, { signal })
    const { status } = await api.ask(path, { method: 'POST' })
    return { status, atMs: Date.now() }
  }

  const submitJob = async (entry: JobEntry): Promise<void> => {
    const { order } = entry
    await until(startedAtMs + order.atMs)
    const ask = () =>
      api.of(order.tenant).ask('/v1/jobs', {
        method: 'POST',
        headers: { 'idempotency-key': `${seed}-${order.marker}` },
        body: jobBody(order, urlFor),
      })
    let answer = await ask()
    // A name that was not found in a second, as on a busy machine, is refused over plain http.
    for (let tries = 1; codeOf(answer) === 'invalid_webhook_url' && tries < mostTries; tries++) {
      await delay(nameAgainMs, undefined, { signal })
      answer = await ask()
    }
    if (answer.status !== 202) {
      entry.refusal = codeOf(answer)
      return
    }
    entry.id = bodyOf<{ id: string }>(answer, 202).id
    entry.acceptedAtMs = Date.now()
    if (order.cutsAfterMs !== null)
      entry.stream = await readStream({
        ...{ api, apiUrl, id: entry.id, cutsAfterMs: order.cutsAfterMs, signal },
        headers: authorizationOf(order.tenant),
      })
    if (order.fate === 'cancelled')
      entry.cancel = await cancel(`/v1/jobs/${entry.id}/cancel`, order.cancelAfterMs)
  }

  const submitBatch = async (entry: BatchEntry): Promise<void> => {
    const { order } = entry
    await until(startedAtMs + order.atMs)
    const lines = order.lines.map(({ marker, model, fate }) =>
      JSON.stringify({
        custom_id: marker,
        method: 'POST',
        url: endpoint,
        body: chatBody(marker, model, fate),
      }),
    )
    const form = uploadForm(new Blob([`${lines.join('\n')}\n`]), `${order.name}.jsonl`)
    const own = api.of(order.tenant)
    const file = bodyOf<{ id: string }>(await own.ask('/v1/files', { method: 'POST', body: form }))
    const answer = await own.ask('/v1/batches', {
      method: 'POST',
      headers: { 'idempotency-key': `${seed}-${order.name}` },
      body: {
        input_file_id: file.id,
        endpoint,
        completion_window: order.window,
        ...(order.webhook && { webhook: { url: urlFor() } }),
      },
    })
    entry.id = bodyOf<{ id: string }>(answer).id
    entry.acceptedAtMs = Date.now()
    if (order.cancelAfterMs !== null)
      entry.cancel = await cancel(`/v1/batches/${entry.id}/cancel`, order.cancelAfterMs)
  }

  await Promise.all([...ledger.jobs.map(submitJob), ...ledger.batches.map(submitBatch)])
}

const mostTries = 20
/** A name that was not found is not looked up again at once. */
const nameAgainMs = 2_500

const jobBody = (order: JobOrder, urlFor: Receivers['urlFor']): object => ({
  endpoint,
  body: chatBody(order.marker, order.model, order.fate, order.cutsAfterMs !== null),
  completion_window: order.window,
  priority: order.priority,
  metadata: { marker: order.marker },
  ...(order.webhook && { webhook: { url: urlFor(order) } }),
})

const codeOf = ({ status, text }: Answer): string => {
  try {
    return (JSON.parse(text) as { error: { code: string } }).error.code
  } catch {
    return `status ${status}`
  }
}
