import { until } from '../../harness/until.ts'
import { createSubmitJob } from '../../src/dispatch/submit.ts'
import type { WebhookTarget } from '../../src/domain/job.ts'
import { createSchedule } from '../../src/jobs/schedule.ts'
import { chatBody, chatPath, chatText } from './chat.ts'
import { type BatonInput, model, openBaton } from './deployment.ts'

const together = 500

export interface JobKind {
  /** The route; `model` when absent. */
  readonly route?: string
  readonly webhook?: WebhookTarget
}

/**
 * Puts jobs into the queue without the API, and resolves with their ids when every doorbell is rung. What it needs
 * of Baton is closed by then.
 */
export const loadQueue = async (
  input: BatonInput,
  count: number,
  { route = model, webhook }: JobKind = {},
): Promise<string[]> => {
  const { life, context } = await openBaton(input, 'error') // what it learns of providers does not belong between the figures
  try {
    const { retention, completion_window } = context.config.jobs
    const submit = createSubmitJob({ ...context, retentionMs: retention, random: Math.random })
    const submission = {
      tenant: 'default',
      endpoint: chatPath,
      model: route,
      body: chatText,
      parsedBody: chatBody,
      windowMs: completion_window,
      webhook: webhook ?? null,
      metadata: null,
      priority: 'default',
      retryOf: null,
      idempotency: null,
    } as const
    const ids: string[] = []
    while (ids.length < count) {
      const length = Math.min(together, count - ids.length)
      const submitted = await Promise.all(Array.from({ length }, () => submit(submission)))
      ids.push(...submitted.map(job => job.id))
    }
    const schedule = createSchedule(context.redis, context.run, context.keys, context.clock)
    await until(async () => (await schedule.size()) === 0)
    return ids
  } finally {
    await life.stop()
  }
}
