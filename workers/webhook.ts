import type { Logger } from 'pino'
import type { BatchRecord } from '../src/batches/record.ts'
import { batchView, messageBatchView } from '../src/batches/view.ts'
import type { AppContext } from '../src/context/context.ts'
import { createLeases, type Leases } from '../src/dispatch/leases.ts'
import { createResultWrites, type ResultWrites } from '../src/dispatch/persist.ts'
import { createWebhookHeartbeat, type WebhookHeartbeat } from '../src/health/heartbeats.ts'
import { parseBatchDoorbell, parseDoorbell } from '../src/jobs/doorbell.ts'
import type { Lifecycle } from '../src/lifecycle/lifecycle.ts'
import { createRepeating } from '../src/lifecycle/repeating.ts'
import { createConsumer } from '../src/queue/consumer.ts'
import { webhookQueue } from '../src/queue/doorbells.ts'
import { isNoticeId } from '../src/redis/keys.ts'
import { createAddressGuard } from '../src/webhooks/address-guard.ts'
import { createDeliverWebhook, type DeliverySource } from '../src/webhooks/deliver-webhook.ts'
import type { Deliveries } from '../src/webhooks/deliveries.ts'
import { createWebhookSender } from '../src/webhooks/send.ts'
import { createSharedReceivers, type SharedReceivers } from '../src/webhooks/shared-receivers.ts'
import { batchSource, jobSource, noticeSource } from '../src/webhooks/sources.ts'
import { createReceiverTallies } from '../src/webhooks/tallies.ts'

/** Delivers webhooks until the process stops. Delivery trouble stays here: jobs have their result already. */
export const openWebhookWorker = async (life: Lifecycle, context: AppContext): Promise<void> => {
  const { config, keys, deliveries, now } = context
  const log = context.log.child({ worker: webhookQueue })
  const stopping = new AbortController()

  const sender = await life.open(
    'webhook sender',
    () =>
      createWebhookSender({
        guard: createAddressGuard(config.webhooks.allowed_networks),
        timeoutMs: config.webhooks.timeout,
        proxy: config.webhooks.proxy === undefined ? null : new URL(config.webhooks.proxy),
        userAgent: 'Baton/1.0',
        resolve: context.names.ofReceivers.resolve,
        lookup: context.names.lookup,
      }),
    sender => sender.close(),
  )
  const receivers = await openReceivers(life, context, log)
  await openTallies(life, context, log)
  const deliverFrom = (source: DeliverySource) =>
    createDeliverWebhook({
      source,
      telemetry: context.telemetry,
      sender,
      receivers,
      defaultSecret: config.webhooks.secret,
      log,
      now,
      random: Math.random,
    })
  const { persist } = createResultWrites(log)
  const deliverJob = deliverFrom(jobSource(patient(deliveries.jobs, persist)))
  const ofBatches = batchesOf(context, persist)
  const deliverBatch = deliverFrom(ofBatches.ends)
  const deliverNotice = deliverFrom(ofBatches.notices)
  const leases = await openLeases(life, context)

  const deliver = async (name: string, taken: () => void): Promise<void> => {
    const ofBatch = parseBatchDoorbell(name)
    if (ofBatch) {
      const { batchId, attempt } = ofBatch
      return (isNoticeId(batchId) ? deliverNotice : deliverBatch)(batchId, attempt, stopping.signal, taken)
    }
    const doorbell = parseDoorbell(name)
    if (doorbell.kind === 'webhook')
      await deliverJob(doorbell.jobId, doorbell.attempt, stopping.signal, taken)
  }

  const consumer = createConsumer({
    queue: webhookQueue,
    concurrency: config.webhooks.concurrency,
    redis: context.redis,
    doorbells: context.doorbells,
    keys,
    log,
    room: {
      left: () => config.webhooks.concurrency * 2,
      idle: receivers.hanging,
      onChange: receivers.onHanging,
    },
    handle: async (name, taken) => {
      const held = { id: name, token: name }
      try {
        await deliver(name, () => {
          leases.hold(held)
          taken()
        })
      } finally {
        leases.release(held)
      }
    },
  })
  await life.open(
    'webhook worker',
    () => consumer.start(),
    (_, leftMs) => consumer.stop(leftMs(), () => stopping.abort()),
  )
  const describe = (): WebhookHeartbeat => ({
    instance: context.instance,
    counts: context.counts.deliveries(),
    seenAtMs: now(),
  })
  context.vitals.webhookWorker(describe)
  context.vitals.check('webhook worker', () => consumer.isRunning)
  const heartbeat = createWebhookHeartbeat(context.redis, keys.prefix, log, describe)
  await life.open(
    'webhook heartbeat',
    () => heartbeat.start(),
    () => heartbeat.stop(),
  )
  log.info({ event: 'worker.started', concurrency: config.webhooks.concurrency }, 'worker started')
}

/**
 * Shares this worker's slots among receivers, and publishes receivers that take nothing to other processes.
 */
const openReceivers = (life: Lifecycle, context: AppContext, log: Logger): Promise<SharedReceivers> => {
  const { redis, subscriber, keys, instance, now } = context
  const { concurrency: places, breaker } = context.config.webhooks
  const terms = {
    failures: breaker.consecutive_failures,
    resetMs: breaker.reset,
    maxResetMs: breaker.max_reset,
  }
  return life.open(
    'receivers',
    async () => {
      const site = { redis, subscriber, channel: keys.receiversChannel, instance, log, now }
      const receivers = createSharedReceivers({ ...site, places, breaker: terms })
      await receivers.start()
      return receivers
    },
    receivers => receivers.stop(),
  )
}

/** Says to all processes, now and then, what receivers took. */
const openTallies = async (life: Lifecycle, context: AppContext, log: Logger): Promise<void> => {
  const { redis, keys, now } = context
  const tallies = createReceiverTallies({ redis, prefix: keys.prefix, now })
  context.telemetry.subscribe(event => {
    if (event.kind === 'webhook.attempt_ended') tallies.note(event.receiver, event.status === 'delivered')
  })
  const flushing = createRepeating('receiver tallies', 2_000, tallies.flush, log)
  await life.open(
    'receiver tallies',
    () => flushing.start(),
    async () => {
      await flushing.stop()
      // What is lost here is a figure of the page.
      await tallies.flush().catch(() => undefined)
    },
  )
}

/**
 * The leases of doorbells that are being answered, by name. A worker that seems dead has them rung for
 * others.
 */
const openLeases = (life: Lifecycle, { deliveries, config, log }: AppContext): Promise<Leases> => {
  const renew = async ({ token }: { readonly token: string }): Promise<boolean> => {
    await deliveries.jobs.renewDelivery(token)
    return true
  }
  return life.open(
    'webhook leases',
    () => {
      const leases = createLeases({ renew }, config.jobs.lease, log)
      leases.start()
      return leases
    },
    leases => leases.stop(),
  )
}

/**
 * A Redis that is full refuses to lease a delivery, so it is asked again while BullMQ keeps the doorbell: a
 * dropped one would come back late by the reconciler at best.
 */
const patient = (deliveries: Deliveries, persist: ResultWrites['persist']): Deliveries => ({
  ...deliveries,
  takeDelivery: (id, attempt) => persist(() => deliveries.takeDelivery(id, attempt)),
  recordDelivery: (id, attempt, result) => persist(() => deliveries.recordDelivery(id, attempt, result)),
  holdDelivery: (id, attempt, dueAtMs) => persist(() => deliveries.holdDelivery(id, attempt, dueAtMs)),
})

/** The webhooks of batches: of their ends, and notices while they run. */
const batchesOf = (
  { batches, deliveries, config, now }: AppContext,
  persist: ResultWrites['persist'],
): { readonly ends: DeliverySource; readonly notices: DeliverySource } => {
  const { host, port, public_url } = config.server
  const publicUrl = (public_url ?? `http://${host}:${port}`).replace(/\/$/, '')
  const ofBatches = patient(deliveries.batches, persist)
  const viewOf = (record: BatchRecord): object =>
    record.dialect === 'openai' ? batchView(record) : messageBatchView(record, publicUrl, now())
  return {
    ends: batchSource(ofBatches, viewOf),
    notices: noticeSource(ofBatches, batches.read, viewOf),
  }
}
