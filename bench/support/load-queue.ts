import { until } from '../../harness/until.ts'
import type { AppContext } from '../../src/context/context.ts'
import { createSubmitJob } from '../../src/dispatch/submit.ts'
import type { WebhookTarget } from '../../src/domain/job.ts'
import { createSchedule } from '../../src/jobs/schedule.ts'
import { chatBody, chatPath } from './chat.ts'
import { type BatonInput, model, openBaton } from './deployment.ts'

const together = 500

export interface JobKind {
  /** The route; `model` when absent. */
  readonly route?: string
  readonly webhook?: WebhookTarget
  readonly metadata?: Readonly<Record<string, string>>
  /** Whose jobs; a provider's log shows it as their identity. The default tenant, without a mark, when absent. */
  readonly tenant?: string
}

/** Puts jobs into the queue without the API. */
export interface Loader {
  readonly context: AppContext
  /** Resolves with their ids as soon as they are accepted. */
  load(count: number, kind?: JobKind | ((index: number) => JobKind)): Promise<string[]>
  /** Resolves when every doorbell is rung; for ever, where jobs are being worked on. */
  allRung(): Promise<void>
  close(): Promise<void>
}

export const openLoader = async (input: BatonInput): Promise<Loader> => {
  const { life, context } = await openBaton(input, 'error') // what it learns of providers does not belong between the figures
  const { retention, completion_window } = context.config.jobs
  const submit = createSubmitJob({ ...context, retentionMs: retention, random: Math.random })
  const schedule = createSchedule(context.redis, context.run, context.keys, context.clock)

  const submissionOf = ({ route = model, webhook, metadata, tenant }: JobKind) => {
    const parsedBody = tenant === undefined ? chatBody : { ...chatBody, user: tenant }
    return {
      tenant: tenant ?? 'default',
      endpoint: chatPath,
      model: route,
      body: JSON.stringify(parsedBody),
      parsedBody,
      windowMs: completion_window,
      webhook: webhook ?? null,
      metadata: metadata ?? null,
      priority: 'default',
      retryOf: null,
      idempotency: null,
    } as const
  }

  return {
    context,
    load: async (count, kind = {}) => {
      const same = typeof kind === 'function' ? null : submissionOf(kind)
      const nth = (i: number) => same ?? submissionOf((kind as (index: number) => JobKind)(i))
      const ids: string[] = []
      while (ids.length < count) {
        const length = Math.min(together, count - ids.length)
        const submitted = await Promise.all(Array.from({ length }, (_, i) => submit(nth(ids.length + i))))
        ids.push(...submitted.map(job => job.id))
      }
      return ids
    },
    allRung: async () => void (await until(async () => (await schedule.size()) === 0)),
    close: () => life.stop(),
  }
}

/** Loads jobs while nobody works on them, and resolves with their ids when every doorbell is rung. */
export const loadQueue = async (input: BatonInput, count: number, kind?: JobKind): Promise<string[]> => {
  const loader = await openLoader(input)
  try {
    const ids = await loader.load(count, kind)
    await loader.allRung()
    return ids
  } finally {
    await loader.close()
  }
}
