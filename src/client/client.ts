import { type BatchCalls, createBatchCalls } from './batch-calls.ts'
import { createJobCalls, type JobCalls } from './job-calls.ts'
import { createStreamCalls, type StreamCalls } from './job-stream.ts'
import { type BatonOptions, createTransport } from './transport.ts'

export type { ApiErrorCode, Batch, File, Job, JobSummary, Operations } from './api-types.ts'
export type { BatchCalls } from './batch-calls.ts'
export type { RunOptions, RunProgress } from './batch-run.ts'
export { BatonError, type ClientErrorCode } from './client-error.ts'
export type { CallOptions, JobCalls, ListOptions, RequestBody, SubmitOptions } from './job-calls.ts'
export type { StreamCalls, StreamEvent, StreamOptions } from './job-stream.ts'
export type { BatchRequest } from './request-files.ts'
export type { BatchResult } from './result-lines.ts'
export type { BatonOptions } from './transport.ts'

/** A client of Baton's API, for any runtime with `fetch`. All calls throw BatonError, or the reason of their signal. */
export class Baton {
  readonly jobs: Pick<JobCalls, 'get' | 'list' | 'cancel' | 'retry'>
  readonly batches: BatchCalls
  readonly submit: JobCalls['submit']
  readonly wait: JobCalls['wait']
  readonly stream: StreamCalls['stream']

  constructor(options: BatonOptions) {
    const transport = createTransport(options)
    const { submit, wait, ...jobs } = createJobCalls(transport)
    this.jobs = jobs
    this.batches = createBatchCalls(transport)
    this.submit = submit
    this.wait = wait
    this.stream = createStreamCalls(transport, { submit }).stream
  }
}
