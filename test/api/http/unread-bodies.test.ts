import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { installUnreadBodies } from '../../../src/api/http/unread-bodies.ts'

let app: FastifyInstance
let isRefused: boolean
let served: string[]
/** Lets the first answer go out. */
let release: (() => void) | undefined
beforeEach(async () => {
  isRefused = false
  served = []
  release = undefined
  app = fastify()
  installUnreadBodies(app, { forMs: 5_000, bytes: 1_000_000, silentMs: 500 })
  app.get('/first', async (_request, reply) => {
    await new Promise<void>(go => {
      release = go
    })
    return reply.header('connection', 'close').send('first')
  })
  app.addHook('onRequest', async ({ url }, reply) => {
    served.push(url)
    if (url === '/refused') return reply.code(404).send('refused')
  })
  app.addHook('onSend', async ({ url }) => {
    if (url === '/refused') isRefused = true
  })
  app.post('/refused', async () => 'never')
  app.get('/behind', async () => 'behind')
  await app.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(() => app.close())

describe('bodies that are not read', () => {
  it('serves nothing behind the last answer of a connection that it reads on', async () => {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
    let answers = ''
    socket.on('data', chunk => (answers += chunk))
    socket.on('error', () => undefined)
    const closed = once(app.server, 'connection').then(([accepted]) => once(accepted, 'close'))
    socket.write('GET /first HTTP/1.1\r\nhost: x\r\n\r\n')
    socket.write('POST /refused HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\nabc')
    // Its answer is due behind the first, which then is the last: it will never be sent.
    await until(() => isRefused && release !== undefined)
    release!()
    await until(() => answers.includes('first'))
    // Served, its answer would overtake the one that is still due, and Node's assertion on that would fail.
    socket.write('defGET /behind HTTP/1.1\r\nhost: x\r\n\r\n')
    await closed
    expect(served).toEqual(['/first', '/refused'])
    expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200'])
  })
})
