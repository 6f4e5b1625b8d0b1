import type { FastifyInstance } from 'fastify'

/** The time that all processes go by, in place of what this host's clock shows: clients compare it with the times of jobs. */
export const installDate = (app: FastifyInstance, now: () => number): void => {
  let second = 0
  let text = ''
  app.addHook('onRequest', (_request, reply, done) => {
    const nowSecond = Math.floor(now() / 1_000)
    if (nowSecond !== second) {
      second = nowSecond
      text = new Date(second * 1_000).toUTCString()
    }
    reply.header('date', text)
    done()
  })
}
