import { setTimeout as delay } from 'node:timers/promises'
import { type Api, bodyOf } from '../../harness/api.ts'
import { isTerminal } from '../../src/domain/job.ts'
import type { JobView } from '../../src/jobs/view.ts'

export interface ReadStreamOptions {
  readonly api: Api
  readonly apiUrl: string
  readonly id: string
  /** Who reads. */
  readonly headers: Readonly<Record<string, string>>
  /** How long the first connection lasts at most; each later one lasts twice as long as the one before. */
  readonly cutsAfterMs: number
  readonly signal: AbortSignal
}

const lastEvent = 'data: [DONE]\n\n'
const pauseMs = 250
/** Once the job has ended, so many connections are made in vain. */
const mostInVain = 5

/**
 * Reads the stream of a chat to its end, over as many connections as it takes, each from the event behind the last whole one.
 * Resolves with what it has, without the ids, where the job has ended and no more comes.
 */
export const readStream = async (options: ReadStreamOptions): Promise<string> => {
  const { api, apiUrl, id, headers, cutsAfterMs, signal } = options
  let text = ''
  let lastId: string | null = null

  /** Takes what one connection brings, as far as it is whole events. */
  const connect = async (lastsMs: number): Promise<void> => {
    const decoder = new TextDecoder()
    let part = ''
    try {
      const answer = await fetch(`${apiUrl}/v1/jobs/${id}/stream`, {
        headers: { ...headers, ...(lastId !== null && { 'last-event-id': lastId }) },
        signal: AbortSignal.any([signal, AbortSignal.timeout(lastsMs)]),
      })
      if (answer.status !== 200) return
      for await (const chunk of answer.body!) part += decoder.decode(chunk, { stream: true })
    } catch {
      // Cut, by itself or by a fault: it goes on from here.
    } finally {
      const whole = part.slice(0, part.lastIndexOf('\n\n') + 2)
      lastId = [...whole.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? lastId
      text += whole.replace(/^id: .*\n/gm, '').replace(/^:.*\n\n/gm, '')
    }
  }

  for (
    let lastsMs = cutsAfterMs, inVain = 0;
    !text.endsWith(lastEvent) && inVain < mostInVain;
    lastsMs *= 2
  ) {
    await connect(lastsMs)
    if (text.endsWith(lastEvent)) break
    await delay(pauseMs, undefined, { signal })
    const job = await api.ask(`/v1/jobs/${id}`)
    if (job.status === 404 || isTerminal(bodyOf<JobView>(job).status)) inVain += 1
  }
  return text
}
