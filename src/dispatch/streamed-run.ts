import type { Verdict } from '../domain/classify/verdict.ts'
import type { Execution, Result } from './execution.ts'

// What follows for a run from a stream of which readers have a part already.

/** Readers have a part of its answer, and did not ask for another one in its place: nobody can begin again. */
export const isBoundToReaders = ({ stream, claim }: Execution): boolean =>
  stream?.isCommitted === true && !claim.restarts

/** Whether this call decides the job: where readers take another answer, only one that came to its end does. */
export const endsStream = (run: Execution, { kind }: Verdict): boolean =>
  run.stream?.isCommitted === true && (isBoundToReaders(run) || kind === 'ok' || kind === 'refused')

/** The result of a job once all of its stream is in the log: whoever reads that it has ended can read the stream to its end. */
export const withStream = async ({ stream }: Execution, result: Result): Promise<Result> => {
  if (!stream?.isCommitted || !(await stream.settled()) || result.status === 'failed') return result
  return { ...result, streamed: { run: stream.run, bytes: stream.bytes } }
}
