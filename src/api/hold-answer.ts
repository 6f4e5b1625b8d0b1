import type { FastifyReply, FastifyRequest } from 'fastify'
import type { JobRecord } from '../store/job-record.ts'
import type { Room } from './room.ts'

/** An answer counts until its reader has it, or has gone. */
export const holdAnswer = (
  room: Room,
  request: FastifyRequest,
  reply: FastifyReply,
  { response }: JobRecord,
): void => {
  if (response === null || reply.raw.destroyed) return
  const holding = room.bytes.hold(request.tenant)
  holding.add(Buffer.byteLength(response.body))
  reply.raw.once('close', holding.release)
}
