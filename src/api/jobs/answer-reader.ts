import type { FastifyReply, FastifyRequest } from 'fastify'
import type { JobRecord } from '../../jobs/record.ts'
import type { JobStore } from '../../jobs/types.ts'
import type { Capacity } from '../http/capacity.ts'

/**
 * How long a client that can ask again waits for capacity for its answer. One whose connection is the only
 * way to it waits for ever.
 */
const pollPatienceMs = 10_000

/**
 * Reads a job. Its answer counts as bytes in flight until the client has it, or has gone; a long answer is
 * read only when there is capacity, and a request that waits for that holds nothing. Throws `too_many_bytes`
 * after a while without capacity, unless `isOnlyWay`. `known`: a job that need not be read, with a short answer.
 */
export const answerReader = (
  { capacity, store }: { readonly capacity: Capacity; readonly store: Pick<JobStore, 'readWhen'> },
  request: FastifyRequest,
  reply: FastifyReply,
  isOnlyWay = false,
  known: () => JobRecord | null = () => null,
): ((id: string) => Promise<JobRecord | null>) => {
  const holding = capacity.bytes.hold(request.tenant)
  let hasGone = (): void => undefined
  reply.raw.once('close', () => {
    hasGone()
    holding.release()
  })
  /** Made for the few that wait: with its stack, it took 5 % of a call. */
  const untilGone = (): AbortSignal => {
    const gone = new AbortController()
    hasGone = () => gone.abort()
    return gone.signal
  }

  const admit = async (bytes: number): Promise<void> => {
    if (bytes <= holding.bytes || reply.raw.destroyed) return
    const gone = untilGone()
    const signals = isOnlyWay ? [gone] : [gone, AbortSignal.timeout(pollPatienceMs)]
    const isLetIn = await capacity.bytes.wait(holding, bytes - holding.bytes, AbortSignal.any(signals))
    if (!isLetIn && !gone.aborted) throw capacity.refusedBytes('all')
  }

  return async id => {
    const record = known() ?? (await store.readWhen(id, admit))
    const bytes = record?.response ? Buffer.byteLength(record.response.body) : 0
    if (bytes > holding.bytes && !reply.raw.destroyed) holding.add(bytes - holding.bytes)
    return record
  }
}
