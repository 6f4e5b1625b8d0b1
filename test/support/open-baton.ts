import type { FastifyInstance } from 'fastify'
import type { DestinationStream, Logger } from 'pino'
import { type Deployment, openDeployment } from '../../harness/deployment.ts'
import type { ApiParts } from '../../src/api/parts.ts'
import type { AppContext } from '../../src/context/context.ts'
import type { Submission, SubmitJob } from '../../src/dispatch/submit.ts'
import type { BlobStore } from '../../src/files/blobs/blob-store.ts'
import type { JobRecord } from '../../src/jobs/record.ts'

export type ConfigInput = Record<string, unknown>

export interface BatonOptions {
  readonly config: ConfigInput
  /** Which providers' workers run here; all by default. */
  readonly workers?: readonly string[]
  readonly webhooks?: boolean
  readonly batches?: boolean
  /** Another Redis than the run's shared one. */
  readonly redisUrl?: string
  /** Joins the keys of another Baton. */
  readonly prefix?: string
  /** Receives every log line, at level trace. */
  readonly logTo?: DestinationStream
  readonly log?: Logger
  readonly graceMs?: number
}

export interface ApiOptions extends BatonOptions {
  /** Comes between the API and the store of the test's own folder. */
  readonly blobs?: (disk: BlobStore) => BlobStore
}

export interface ProcessesOptions {
  /** Null for a folder without a config. */
  readonly config: object | null
  readonly env?: Record<string, string>
}

export interface Baton {
  readonly context: AppContext
  readonly prefix: string
  /** Where files are kept, unless the config says otherwise. */
  readonly blobDir: string
  readonly submit: SubmitJob
  /** Submits a chat request and answers the job's id. */
  chat(
    model: string,
    more?: Partial<Submission> & { readonly prompt?: string; readonly user?: string },
  ): Promise<string>
  ended(jobId: string): Promise<JobRecord>
  stop(): Promise<void>
}

export interface BatonApi extends Baton {
  readonly url: string
  readonly app: FastifyInstance
  readonly parts: ApiParts
}

/**
 * Baton as production builds it, with keys of its own. At level `workers` and `api` in this process: the context and the
 * workers, and the API in front of them. At level `processes` as `node src/main.ts`, role by role, in a folder of its own.
 * The stores alone, below all that, are those of `openStore`.
 */
export function openBaton(options: { level: 'workers' } & BatonOptions): Promise<Baton>
export function openBaton(options: { level: 'api' } & ApiOptions): Promise<BatonApi>
export function openBaton(options: { level: 'processes' } & ProcessesOptions): Promise<Deployment>
export async function openBaton(
  options: ({ level: 'workers' | 'api' } & ApiOptions) | ({ level: 'processes' } & ProcessesOptions),
): Promise<Baton | Deployment> {
  if (options.level === 'processes') return openDeployment(options.config, options.env)
  // Read when it is needed: a test of processes alone starts sooner without.
  const { openWorkers, openApi } = await import('./in-process.ts')
  const { life, baton } = await openWorkers(options)
  return options.level === 'api'
    ? { ...baton, ...(await openApi(life, baton.context, options.blobs)) }
    : baton
}
