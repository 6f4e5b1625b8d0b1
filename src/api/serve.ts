import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { createAllBatches } from '../batches/all-batches.ts'
import { createBatchStore } from '../batches/store.ts'
import type { Config } from '../config/schema.ts'
import type { AppContext } from '../context/context.ts'
import { openQueueSpeeds } from '../context/queue-speeds.ts'
import { deadLetterRetentionMs, deliveriesOn, storeOn } from '../context/stores.ts'
import { createAccountAffinity } from '../dispatch/account-affinity.ts'
import { createCountTokens } from '../dispatch/count-tokens.ts'
import { createContinueResponse } from '../dispatch/earlier-response.ts'
import { createModelLists } from '../dispatch/model-lists.ts'
import { createSubmitJob, type SubmitJob } from '../dispatch/submit.ts'
import { createQuotas } from '../files/quotas.ts'
import { createFileStore } from '../files/store.ts'
import { createUploadStore } from '../files/upload-store.ts'
import { createCircuitStore } from '../health/circuit-store.ts'
import { readProcesses, readWebhookWorkers, readWorkers } from '../health/heartbeats.ts'
import { createHistory } from '../health/history.ts'
import { createOperatorLog } from '../health/operator-log.ts'
import { type CompletionListener, createCompletionListener } from '../jobs/completion-listener.ts'
import { createJobLists } from '../jobs/job-lists.ts'
import { createMetadataIndex } from '../jobs/list-entry.ts'
import { createSchedule } from '../jobs/schedule.ts'
import type { JobStore } from '../jobs/types.ts'
import { createUsage } from '../jobs/usage.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import { createMirrorStore } from '../mirror/mirror-store.ts'
import { createAnnounce } from '../queue/announce.ts'
import { createDoorbells } from '../queue/doorbells.ts'
import { createJobEstimates } from '../queue/job-estimates.ts'
import { createLimitStore } from '../rate-limits/limit-store.ts'
import { createApiRedis, pingRedis, type RedisClient } from '../redis/connect.ts'
import { createGuardedRunner } from '../redis/full-store.ts'
import { createReplicatedRunner } from '../redis/replicated.ts'
import { readScriptTime } from '../redis/script-time.ts'
import { createScriptRunner, type RunScript } from '../redis/scripts.ts'
import { openBlobStore } from '../start-blobs.ts'
import { createStreamLogs } from '../streams/stream-logs.ts'
import { createAddressGuard } from '../webhooks/address-guard.ts'
import { createDeadLetters } from '../webhooks/dead-letters.ts'
import { createReceiverTallies } from '../webhooks/tallies.ts'
import { createApp } from './app.ts'
import { createFront, type Front } from './front.ts'
import type { ApiParts } from './parts.ts'
import { createSessionStore } from './ui/session-store.ts'

export interface ServedApi {
  /** Where it listens. */
  readonly url: string
  readonly app: FastifyInstance
  readonly parts: ApiParts
}

/** Serves the API until the process stops. `openBlobs` opens the store that keeps the bytes of files. */
export const serveApi = async (
  life: Lifecycle,
  context: AppContext,
  openBlobs: typeof openBlobStore = openBlobStore,
  front: Front = createFront(),
): Promise<ServedApi> => {
  const { config, log, vitals } = context
  const parts = await openParts(life, context, openBlobs)
  const app = createApp(parts, front.server ?? undefined)
  const { host, port: wanted } = config.server
  await life.open(
    'api',
    () => front.serve(app, { host, port: wanted }),
    (_, leftMs) => front.leave(app, leftMs),
  )
  const server = front.server!
  vitals.check('api', () => server.listening)
  const { address, family, port } = server.address() as AddressInfo
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  log.info({ event: 'api.listening', url }, 'api listening')
  return { url, app, parts }
}

const openParts = async (
  life: Lifecycle,
  context: AppContext,
  openBlobs: typeof openBlobStore,
): Promise<ApiParts> => {
  const { config, keys, clock, log, now } = context
  const redis = await openRedis(life, 'api redis', context)
  const run = createGuardedRunner(await openRunner(life, context, redis), context.memory.isFull)
  const doorbells = createDoorbells(redis, run, keys)
  const announce = createAnnounce(doorbells, log, now)
  const store = storeOn(redis, run, keys, config, clock, context.telemetry, announce)
  const blobs = await openBlobs(life, context)
  const speeds = await openQueueSpeeds(life, context)
  const batches = createBatchStore({ redis, run, keys, now })
  return {
    config,
    routes: context.routes,
    mirroredRoutes: context.mirroredRoutes,
    mirrors: createMirrorStore(redis, keys, now),
    providers: context.providers,
    store,
    jobLists: createJobLists({
      ...{ run, keys, now, leaseMs: config.jobs.lease },
      index: createMetadataIndex(config.jobs.indexed_metadata),
    }),
    doorbells,
    deliveries: deliveriesOn(redis, run, keys, config, now),
    deadLetters: createDeadLetters({
      redis,
      keys,
      retentionMs: { jobs: deadLetterRetentionMs, batches: config.batches.retention },
      now,
    }),
    schedule: createSchedule(redis, run, keys, clock),
    blobs,
    files: createFileStore({ redis, run, keys, blobs, now }),
    uploads: createUploadStore({ redis, run, keys, now }),
    batches,
    usage: createUsage(redis, keys),
    allBatches: createAllBatches({ redis, run, keys, batches, tenants: tenantsOf(config) }),
    quotas: createQuotas({ redis, run, keys, quotaOf: quotasOf(config), now }),
    cooldowns: context.cooldowns,
    circuits: context.circuits,
    withoutWorkerSince: context.workerLiveness.withoutWorkerSince,
    figuresOf: context.targetStats.of,
    speeds,
    estimateJob: createJobEstimates({ doorbells, speeds, now }),
    circuitStore: createCircuitStore(redis, keys.prefix, now),
    history: createHistory(redis, keys.prefix),
    receiverTallies: createReceiverTallies({ redis, prefix: keys.prefix, now }),
    operatorLog: createOperatorLog(redis, keys.prefix),
    limitStore: createLimitStore(redis, keys.prefix),
    waiter: await openWaiter(life, context),
    submit: submitOn(redis, store, context),
    instance: context.instance,
    streamHub: context.streamHub,
    streamLogs: createStreamLogs({ redis, run, keys, instance: context.instance }),
    streamLeavers: context.streamLeavers,
    countTokens: createCountTokens(context),
    modelLists: createModelLists(context),
    vitals: context.vitals,
    reload: context.reload,
    accepted: context.vitals.measures.accepted,
    addressGuard: createAddressGuard(config.webhooks.allowed_networks),
    resolve: context.names.ofReceivers.resolve,
    presence: () => readWorkers(redis, keys.prefix, now()),
    webhookPresence: () => readWebhookWorkers(redis, keys.prefix, now()),
    processes: () => readProcesses(redis, keys.prefix, now()),
    memory: context.memory,
    scriptTime: () => readScriptTime(redis),
    uiSessions: createSessionStore(redis, keys, now),
    pingRedis: () => pingRedis(redis, keys),
    log,
    now,
  }
}

type Connecting = Pick<AppContext, 'redisAt' | 'log'>

/**
 * A connection that fails fast: a client must not wait for a Redis that is away. It stands when this
 * resolves: before that, requests would be refused for an outage although Redis is there.
 */
const openRedis = (life: Lifecycle, name: string, { redisAt, log }: Connecting): Promise<RedisClient> =>
  life.open(
    name,
    async () => {
      const redis = createApiRedis(redisAt, log)
      if (redis.status !== 'ready') await new Promise<void>(ready => redis.once('ready', ready))
      return redis
    },
    redis => redis.disconnect(),
  )

/** Runs the scripts that make jobs, batches and files; waits for replicas where the config says so. */
const openRunner = async (
  life: Lifecycle,
  context: Connecting & Pick<AppContext, 'config'>,
  redis: RedisClient,
): Promise<RunScript> => {
  const { wait_replicas: replicas, wait_timeout: timeoutMs } = context.config.redis
  const run = createScriptRunner(redis)
  if (replicas === 0) return run
  const writer = await openRedis(life, 'api writer', context)
  return createReplicatedRunner(
    run,
    { redis: writer, run: createScriptRunner(writer) },
    { replicas, timeoutMs },
  )
}

const openWaiter = (
  life: Lifecycle,
  { subscriber, keys, log }: Pick<AppContext, 'subscriber' | 'keys' | 'log'>,
): Promise<CompletionListener> =>
  life.open(
    'waiters',
    async () => {
      const waiter = createCompletionListener(subscriber, keys, log)
      await waiter.start()
      return waiter
    },
    waiter => waiter.stop(),
  )

const submitOn = (redis: RedisClient, store: JobStore, context: AppContext): SubmitJob =>
  createSubmitJob({
    store,
    // No request waits for these, so they take the patient connection: on the other, BullMQ's transactions
    // would leave a timer behind for every command, and those took a quarter of the API's time.
    doorbells: context.doorbells,
    routes: context.routes,
    providers: context.providers,
    availableAt: context.availableAt,
    order: context.order,
    accountAffinity: createAccountAffinity({
      redis,
      prefix: context.keys.prefix,
      providers: context.providers,
      keyRings: context.keyRings,
      log: context.log,
    }),
    continueResponse: createContinueResponse({ store, providers: context.providers }),
    moveReasons: context.moveReasons,
    expressLanes: context.expressLanes,
    retentionMs: context.config.jobs.retention,
    now: context.now,
    random: Math.random,
    telemetry: context.telemetry,
  })

/** What a tenant may have at a time. */
const quotasOf =
  ({ quotas: { tenants, ...all } }: Pick<Config, 'quotas'>) =>
  (tenant: string) => {
    const own = Object.hasOwn(tenants, tenant) ? tenants[tenant]! : {}
    return {
      files: own.files ?? all.files,
      bytes: own.bytes ?? all.bytes,
      openBatches: own.open_batches ?? all.open_batches,
    }
  }

/** Those that may make anything now. */
const tenantsOf = ({ api_keys }: AppContext['config']): readonly string[] => [
  ...new Set(['default', ...api_keys.map(({ tenant }) => tenant)]),
]
