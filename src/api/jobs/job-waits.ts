import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import { isTerminal } from '../../domain/job.ts'
import type { CompletionListener } from '../../jobs/completion-listener.ts'
import type { JobStore } from '../../jobs/types.ts'
import { isRedisTrouble } from '../../redis/trouble.ts'

/** `poll`: can be asked again at any time. `sync`: the connection is the only way to the answer. */
export type WaitKind = 'poll' | 'sync'

/** `over`: the job has ended or the time is up; its record says which. */
export type WaitOutcome = 'over' | 'disconnected' | 'closing'

export interface JobWaits {
  /**
   * Holds a request until its job ends; ends early when its client goes or the wait is released. `fresh`: the
   * job was made just now, so that its end is still to come. `answered` resolves with what is no longer waited for, or with null.
   */
  untilEnd(
    kind: WaitKind,
    jobId: string,
    timeoutMs: number,
    reply: FastifyReply,
    fresh?: boolean,
    answered?: Promise<unknown>,
  ): Promise<WaitOutcome>
  /** Ends all waits of a kind, also those to come. */
  release(kind: WaitKind): void
}

const outagePauseMs = 250

export const createJobWaits = (waiter: CompletionListener, store: JobStore): JobWaits => {
  const waiting: Record<WaitKind, Set<AbortController>> = { poll: new Set(), sync: new Set() }
  const released = new Set<WaitKind>()

  /** Redis may come back before the wait is over; an answer that was paid for is not given up on the way. */
  const hasEnded = async (jobId: string, signal: AbortSignal): Promise<boolean> => {
    while (!signal.aborted) {
      try {
        const [record] = await store.readHeads([jobId])
        return !record || isTerminal(record.status)
      } catch (error) {
        if (!isRedisTrouble(error)) throw error
        await delay(outagePauseMs)
      }
    }
    return true
  }

  return {
    untilEnd: async (kind, jobId, timeoutMs, reply, fresh = false, answered) => {
      const controller = new AbortController()
      const { signal } = controller
      const end = (outcome: WaitOutcome) => () => controller.abort(outcome)
      const timer = setTimeout(end('over'), timeoutMs)
      const leave = end('disconnected')
      reply.raw.once('close', leave)
      if (reply.raw.destroyed) leave()
      if (released.has(kind)) controller.abort('closing')
      waiting[kind].add(controller)
      answered?.then(answer => answer && controller.abort('over'))
      try {
        await waiter.wait(jobId, signal, () => hasEnded(jobId, signal), fresh)
        return signal.aborted ? (signal.reason as WaitOutcome) : 'over'
      } finally {
        clearTimeout(timer)
        reply.raw.off('close', leave)
        waiting[kind].delete(controller)
      }
    },
    release: kind => {
      released.add(kind)
      for (const controller of waiting[kind]) controller.abort('closing')
    },
  }
}
