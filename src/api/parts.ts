import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Logger } from 'pino'
import type { AllBatches } from '../batches/all-batches.ts'
import type { BatchStore } from '../batches/store.ts'
import type { ReloadConfig } from '../config/reload.ts'
import type { Config } from '../config/schema.ts'
import type { CountTokens } from '../dispatch/count-tokens.ts'
import type { ModelLists } from '../dispatch/model-lists.ts'
import type { Providers, Routes } from '../dispatch/routes.ts'
import type { SubmitJob } from '../dispatch/submit.ts'
import type { RouteTarget } from '../domain/routing/chain.ts'
import type { TargetFigures } from '../domain/routing/target-stats.ts'
import type { BlobStore } from '../files/blobs/blob-store.ts'
import type { Quotas } from '../files/quotas.ts'
import type { FileStore } from '../files/store.ts'
import type { UploadStore } from '../files/upload-store.ts'
import type { CircuitStore } from '../health/circuit-store.ts'
import type { Circuits } from '../health/circuits.ts'
import type { Cooldowns } from '../health/cooldowns.ts'
import type { ProcessHeartbeat, WebhookHeartbeat, WorkerHeartbeat } from '../health/heartbeats.ts'
import type { History } from '../health/history.ts'
import type { OperatorLog } from '../health/operator-log.ts'
import type { Vitals } from '../health/vitals.ts'
import type { CompletionListener } from '../jobs/completion-listener.ts'
import type { JobLists } from '../jobs/job-lists.ts'
import type { Schedule } from '../jobs/schedule.ts'
import type { JobStore } from '../jobs/types.ts'
import type { Usage } from '../jobs/usage.ts'
import type { MirrorStore } from '../mirror/mirror-store.ts'
import type { MirroredRoutes } from '../mirror/mirrored-routes.ts'
import type { Doorbells } from '../queue/doorbells.ts'
import type { EstimateJob } from '../queue/job-estimates.ts'
import type { QueueSpeeds } from '../queue/queue-speeds.ts'
import type { LimitStore } from '../rate-limits/limit-store.ts'
import type { MemoryWatch } from '../redis/memory-watch.ts'
import type { ScriptTime } from '../redis/script-time.ts'
import type { StreamHub } from '../streams/stream-hub.ts'
import type { StreamLeavers } from '../streams/stream-leavers.ts'
import type { StreamLogs } from '../streams/stream-logs.ts'
import type { AddressGuard, Resolve } from '../webhooks/address-guard.ts'
import type { DeadLetters } from '../webhooks/dead-letters.ts'
import type { DeliveriesByKind } from '../webhooks/deliveries.ts'
import type { ReceiverTallies } from '../webhooks/tallies.ts'
import type { SessionStore } from './ui/session-store.ts'

/** Where routes are added whose schemas are zod's. */
export type ApiScope = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** All that the API stands on. Each route takes only the parts it names. */
export interface ApiParts {
  readonly config: Config
  readonly routes: Routes
  readonly providers: Providers
  readonly store: JobStore
  readonly jobLists: JobLists
  readonly doorbells: Doorbells
  readonly deliveries: DeliveriesByKind
  readonly deadLetters: DeadLetters
  readonly schedule: Pick<Schedule, 'from' | 'later' | 'size'>
  readonly blobs: BlobStore
  readonly files: FileStore
  readonly uploads: UploadStore
  readonly quotas: Quotas
  readonly batches: BatchStore
  readonly allBatches: AllBatches
  readonly usage: Usage
  readonly cooldowns: Cooldowns
  readonly circuits: Circuits
  readonly circuitStore: CircuitStore
  readonly operatorLog: OperatorLog
  readonly history: Pick<History, 'read'>
  /** What receivers of webhooks took of late. */
  readonly receiverTallies: Pick<ReceiverTallies, 'read'>
  readonly limitStore: Pick<LimitStore, 'read' | 'unblock'>
  /** How a target has done of late, over all processes. */
  readonly figuresOf: (target: RouteTarget) => TargetFigures
  readonly mirroredRoutes: MirroredRoutes
  readonly mirrors: Pick<MirrorStore, 'read' | 'pairs'>
  /** When a job is likely to have its answer. */
  readonly estimateJob: EstimateJob
  readonly speeds: Pick<QueueSpeeds, 'of'>
  readonly waiter: CompletionListener
  readonly submit: SubmitJob
  /** Names this process in Redis. */
  readonly instance: string
  readonly streamHub: StreamHub
  readonly streamLogs: StreamLogs
  readonly streamLeavers: StreamLeavers
  readonly countTokens: CountTokens
  /** What wildcards lead to. */
  readonly modelLists: ModelLists
  /** Jobs that were submitted in this process, whatever it ran on before. */
  readonly accepted: () => number
  readonly addressGuard: AddressGuard
  /** Resolves the hosts of webhooks. */
  readonly resolve: Resolve
  readonly vitals: Vitals
  readonly reload: ReloadConfig
  /** Unix ms since when a provider has no worker, once that counts; 0 else. */
  readonly withoutWorkerSince: (provider: string) => number
  readonly presence: () => Promise<readonly WorkerHeartbeat[]>
  readonly webhookPresence: () => Promise<readonly WebhookHeartbeat[]>
  readonly processes: () => Promise<readonly ProcessHeartbeat[]>
  readonly memory: Pick<MemoryWatch, 'isFull' | 'figures'>
  readonly scriptTime: () => Promise<ScriptTime | null>
  /** Who is signed in on the page. */
  readonly uiSessions: SessionStore
  /** Rejects when Redis does not answer. */
  readonly pingRedis: () => Promise<void>
  readonly log: Logger
  readonly now: () => number
}
