import type { Core } from '../src/core.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import { createConsumer } from '../src/queue/consumer.ts'
import { parseDoorbell } from '../src/queue/doorbell.ts'
import { webhookQueue } from '../src/queue/doorbells.ts'
import { jobView } from '../src/store/job-view.ts'
import { createAddressGuard } from '../src/webhooks/address-guard.ts'
import { createDeliverWebhook } from '../src/webhooks/deliver-webhook.ts'
import type { FinishedJobView } from '../src/webhooks/event.ts'
import { createWebhookSender } from '../src/webhooks/send.ts'

/** Delivers webhooks until the process stops. Delivery trouble stays here: jobs have their result already. */
export const openWebhookWorker = async (life: Lifecycle, core: Core): Promise<void> => {
  const { config, keys, store, now } = core
  const log = core.log.child({ worker: webhookQueue })
  const stopping = new AbortController()

  const sender = await life.open(
    'webhook sender',
    () =>
      createWebhookSender({
        guard: createAddressGuard(config.webhooks.allow),
        timeoutMs: config.webhooks.timeout_ms,
        userAgent: 'Baton/1.0',
      }),
    sender => sender.close(),
  )
  const deliver = createDeliverWebhook({
    store,
    sender,
    defaultSecret: config.webhooks.secret,
    viewOf: record => jobView(record) as FinishedJobView,
    log,
    now,
    random: Math.random,
  })
  const consumer = createConsumer({
    queue: webhookQueue,
    concurrency: config.webhooks.concurrency,
    lockMs: config.jobs.lock_ms,
    redis: core.redis,
    keys,
    log,
    answer: async name => {
      const doorbell = parseDoorbell(name)
      if (doorbell.kind === 'webhook') await deliver(doorbell.jobId, doorbell.attempt, stopping.signal)
    },
  })
  await life.open(
    'webhook worker',
    () => consumer.start(),
    (_, leftMs) => consumer.stop(leftMs(), () => stopping.abort()),
  )
  log.info({ concurrency: config.webhooks.concurrency }, 'worker started')
}
