import type { Keys } from './keys.ts'

/** One kind of key that Baton keeps in Redis, or a channel that it publishes on. BullMQ's own keys are not among them. */
export interface KeyKind {
  /**
   * What stands after the prefix and a colon. Names in angle brackets vary; a `<shard>` is 0 to 15. On a Cluster, what stands in
   * braces decides the slot.
   */
  readonly pattern: string
  readonly type: 'hash' | 'string' | 'list' | 'set' | 'zset' | 'stream' | 'channel'
  readonly holds: string
}

type ByKeys = Record<Exclude<keyof Keys, 'prefix'> | 'deadLettersOf', KeyKind>

/** The keys of jobs, batches, files, uploads and deliveries: each by its name in `Keys`; `deadLettersOf` is `deadLetters` with a tenant. */
export const recordKeys: ByKeys = {
  record: {
    pattern: '{<shard>}:j:<job>',
    type: 'hash',
    holds: 'a job: everything but a long request body or a long answer; a mirrored sample likewise',
  },
  payload: {
    pattern: '{<shard>}:p:<job>',
    type: 'string',
    holds: 'a long request body, apart so that the record stays a compact listpack',
  },
  answer: {
    pattern: '{<shard>}:a:<job>:<token>',
    type: 'string',
    holds: 'a long answer, brought by the worker whose claim has this token',
  },
  schedule: {
    pattern: '{<shard>}:schedule',
    type: 'zset',
    holds: 'doorbells owed, deadlines and leases, by the time in ms at which they are due',
  },
  index: { pattern: '{<shard>}:index', type: 'stream', holds: "every job's id, in the order of arrival" },
  reconciler: {
    pattern: '{<shard>}:reconciler',
    type: 'string',
    holds: "where the reconciler stands in the shard's index, and when its next walk begins",
  },
  idempotency: {
    pattern: '{<shard>}:i:<hash>',
    type: 'string',
    holds: 'the job that an Idempotency-Key named first, and the fingerprint of its request',
  },
  deadLetters: {
    pattern: '{<shard>}:dead:<kind>',
    type: 'zset',
    holds: 'jobs, or batches and their notices, whose webhook was given up, by name: `<ms>:<id>`',
  },
  deadLettersOf: {
    pattern: '{<shard>}:dead:<kind>:<tenant>',
    type: 'zset',
    holds: 'the dead letters of one tenant',
  },
  owed: {
    pattern: '{<shard>}:owed',
    type: 'zset',
    holds: 'batches and notices whose webhook is owed, by the time in ms when they were last looked at',
  },
  batch: { pattern: '{<shard>}:b:<ulid>', type: 'hash', holds: 'a batch' },
  notice: {
    pattern: '{<shard>}:bn:<ulid>-<number>',
    type: 'hash',
    holds: 'a notice that a batch is blocked, and how its delivery fares',
  },
  finishedLines: {
    pattern: '{<shard>}:bd:<ulid>',
    type: 'list',
    holds:
      "lines of a batch that have ended and stand in no output file yet: jobs' ids, or `!` and the line itself",
  },
  openBatches: {
    pattern: '{<shard>}:batches',
    type: 'zset',
    holds: 'batches that have not ended, by the time in ms up to which a feeder holds them',
  },
  batchRequest: {
    pattern: '{<shard>}:bi:<fingerprint>',
    type: 'string',
    holds: 'the batch that a request made, for a client that sends it again',
  },
  batches: {
    pattern: '{batches}:<dialect>:<tenant>',
    type: 'zset',
    holds: "a tenant's batches of one kind of client, by name",
  },
  openOf: {
    pattern: '{batches}:open:<tenant>',
    type: 'set',
    holds: "a tenant's batches that have not ended",
  },
  file: { pattern: '{<shard>}:f:<file>', type: 'hash', holds: 'a file' },
  segments: {
    pattern: '{<shard>}:fs:<file>',
    type: 'list',
    holds: "where a file's bytes are, in order; also of an output file that still grows",
  },
  files: { pattern: '{files}:<tenant>', type: 'zset', holds: "a tenant's files, by name" },
  held: {
    pattern: '{files}:held:<tenant>',
    type: 'hash',
    holds: 'files and bytes that each file counts against the quota of its tenant, by ULID',
  },
  heldSums: { pattern: '{files}:sums:<tenant>', type: 'hash', holds: 'the sums of those' },
  purge: {
    pattern: '{<shard>}:purge',
    type: 'zset',
    holds: 'files and uploads to be removed, by the time in ms',
  },
  upload: { pattern: '{<shard>}:u:<upload>', type: 'hash', holds: 'an upload in parts' },
  parts: {
    pattern: '{<shard>}:up:<upload>',
    type: 'hash',
    holds: 'the bytes and the blob of each part of an upload, by part id',
  },
  abortChannel: {
    pattern: 'abort',
    type: 'channel',
    holds: 'ids of running jobs whose call is to be dropped',
  },
  endsChannel: { pattern: 'ends', type: 'channel', holds: 'ids of jobs that have ended, none of a batch' },
  batchesChannel: { pattern: 'batches', type: 'channel', holds: 'ids of new batches' },
  receiversChannel: {
    pattern: 'receivers',
    type: 'channel',
    holds: 'receivers of webhooks whose circuit a process has opened',
  },
}

/** Keys that one room alone reads and writes. */
export const otherKeys: readonly KeyKind[] = [
  { pattern: 'schema', type: 'string', holds: 'the version of the layout of all these keys' },
  { pattern: 'reconciler', type: 'string', holds: 'the process that walks the indexes; a lease' },
  {
    pattern: '{turn}:<task>',
    type: 'string',
    holds: 'the process that does a task which one is enough for; a lease',
  },
  {
    pattern: '{<shard>}:mark',
    type: 'string',
    holds: 'nothing: it is written to learn whether replicas have what came before',
  },
  {
    pattern: '{clock}',
    type: 'hash',
    holds: "the time that all processes go by, and how far ahead of Redis's own clock it is",
  },
  { pattern: '{limits}:names', type: 'set', holds: 'the names of all limiters' },
  {
    pattern: '{limits}:<limiter>',
    type: 'string',
    holds: 'what one key may call, of one model or all, and what each process has of it; JSON',
  },
  { pattern: 'limits', type: 'channel', holds: 'names of limiters with something new' },
  {
    pattern: '{health}:board',
    type: 'hash',
    holds: 'until when a provider, model or key is left alone, by scope',
  },
  { pattern: 'health', type: 'channel', holds: 'cooldowns as they begin and are lifted' },
  { pattern: '{health}:circuits', type: 'hash', holds: 'circuits, by `provider` or `provider/model`; JSON' },
  { pattern: '{health}:windows', type: 'hash', holds: 'what the circuits have counted of late' },
  {
    pattern: '{health}:events:<provider>',
    type: 'list',
    holds: "the latest changes of a provider's circuits",
  },
  { pattern: 'health:circuits', type: 'channel', holds: 'circuits as they change' },
  {
    pattern: '{health}:figures',
    type: 'hash',
    holds: 'latencies and failures of targets, as each process saw them',
  },
  {
    pattern: '{health}:<registry>',
    type: 'hash',
    holds: 'heartbeats of workers, webhook workers or processes',
  },
  {
    pattern: 'home:<hash>',
    type: 'string',
    holds: 'the account that keeps a state of a provider, for a tenant',
  },
  { pattern: '{<shard>}:ca:<request>', type: 'string', holds: 'a cached answer' },
  {
    pattern: '{<shard>}:cl:<request>',
    type: 'string',
    holds: 'the job that asks the provider for all that ask the same; a lease',
  },
  {
    pattern: '{<shard>}:cf:<request>',
    type: 'hash',
    holds: 'the jobs that wait for that answer, with their doorbells',
  },
  {
    pattern: '{<shard>}:cn:<request>',
    type: 'string',
    holds: 'how many leaders of this request failed one after the other',
  },
  {
    pattern: '{<shard>}:ci:<route>',
    type: 'zset',
    holds: 'the answers of a route in this shard, by the time in ms at which they go',
  },
  { pattern: '{<shard>}:cs:<route>', type: 'hash', holds: 'their sizes; the empty name has the sum' },
  {
    pattern: '{mirror}:open:<route>',
    type: 'zset',
    holds: 'mirrored samples without a result, by the time in ms at which they are given up',
  },
  {
    pattern: '{mirror}:stats:<route>',
    type: 'hash',
    holds: 'what comparisons of a route with its mirror showed',
  },
  {
    pattern: '{mirror}:pairs:<route>',
    type: 'zset',
    holds: 'the last pairs of answers that were kept; JSON',
  },
]
