import type { Cluster, Redis } from 'ioredis'
import type { Keys } from '../redis/keys.ts'
import { isApart, isRefusedAsFull, longWrite, type Payloads } from './payloads.ts'
import { type JobRecord, parseRecord, type RecordFields, type StoredResult } from './record.ts'
import type { Claim, Created, JobResult, JobStore, NewJob } from './types.ts'

/** What the scripts answer, that know nothing of long texts but whether they are there. */
interface BareJobs {
  readonly redis: Redis | Cluster
  readonly keys: Keys
  readonly payloads: Payloads
  create(job: NewJob, token?: string): Promise<Created | { readonly kind: 'no_body' }>
  /** 1: done; 2: done, and its webhook is owed; 0: not to be done; -1: the long answer is gone. */
  finalise(claim: Claim, final: JobResult, sent?: () => void): Promise<number>
}

type WholeJobs = Pick<JobStore, 'create' | 'finalise' | 'withBody' | 'read' | 'readWhen' | 'readBody'>

/** The parts of the job store that know whether a job's body or answer is long; no other has to know. */
export const createWholeJobs = ({ redis, keys, payloads, ...bare }: BareJobs): WholeJobs => {
  const readWhen: JobStore['readWhen'] = async (id, admit) => {
    const fields = (await redis.hgetall(keys.record(id))) as RecordFields
    if (fields.apart) await admit((JSON.parse(fields.result!) as StoredResult).bytes ?? 0)
    return parseRecord(id, await payloads.whole(id, fields))
  }

  return {
    create: async (job, token) => {
      if (!isApart(job.body)) return (await bare.create(job, token)) as Created
      const put = (): Promise<void> => payloads.putRequest(job.id, job.body)
      let refused: unknown = null
      const created = (await longWrite(
        // A full Redis takes no new body, and still replies which job a key named before.
        () =>
          put().catch(error => {
            if (!isRefusedAsFull(error)) throw error
            refused = error
          }),
        () => bare.create(job, token),
        reply => {
          if (reply.kind === 'no_body' && refused !== null) throw refused
          return reply.kind === 'no_body'
        },
      )) as Created
      if (created.kind !== 'created' && created.kind !== 'claimed')
        await payloads.dropRequest(job.id).catch(() => undefined)
      return created
    },

    finalise: async (claim, final, sent) => {
      const body = final.response?.body
      if (body === undefined || !isApart(body)) return (await bare.finalise(claim, final, sent)) > 0
      const reply = await longWrite(
        () => payloads.putAnswer(claim.id, claim.token, body),
        () => bare.finalise(claim, final, sent),
        reply => reply === -1,
      )
      return reply > 0
    },

    withBody: async ({ unread, ...claim }) => {
      if (!unread) return claim
      const body = await payloads.request(claim.id)
      if (body === null) throw new Error(`the body of ${claim.id} is gone`)
      return { ...claim, body }
    },

    read: (id): Promise<JobRecord | null> => readWhen(id, async () => undefined),
    readWhen,

    readBody: async id => {
      const [state, request, background] = await redis.hmget(
        keys.record(id),
        'state',
        'request',
        'background',
      )
      return state === 'succeeded' && !background ? null : request || (await payloads.request(id))
    },
  }
}
