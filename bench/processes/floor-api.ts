import { Queue } from 'bullmq'
import fastify from 'fastify'
import { jobPath } from '../support/chat.ts'

export interface FloorApiInput {
  readonly redisUrl: string
  readonly queue: string
}

// A bare Fastify route that puts the body into a BullMQ queue, and does nothing else. Says its URL.
const { redisUrl, queue: name } = JSON.parse(process.argv[2]!) as FloorApiInput
const queue = new Queue(name, { connection: { url: redisUrl }, streams: { events: { maxLen: 0 } } })
const app = fastify()
app.post(jobPath, async (request, reply) => {
  const { id } = await queue.add('j', request.body)
  return reply.code(202).send({ id })
})
process.send!(await app.listen({ host: '127.0.0.1', port: 0 }))
