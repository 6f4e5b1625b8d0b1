import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../../harness/until.ts'
import { installBodyPace } from '../../../src/api/http/body-pace.ts'

const everyMs = 200
const minBytes = 1_000

let app: FastifyInstance
/** Lets the handler go on. */
let release: () => void
beforeEach(async () => {
  app = fastify({ bodyLimit: 10_000_000 })
  installBodyPace(app, { everyMs, minBytes })
  app.post('/', async () => {
    await new Promise<void>(go => {
      release = go
    })
    return {}
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(() => app.close())

const begin = (length: number): Socket => {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`,
  )
  return socket
}

describe('the pace of request bodies', () => {
  it('cuts a body that does not get on', async () => {
    const socket = begin(100_000)
    socket.write('"')
    const dripping = setInterval(() => socket.write('x'), everyMs / 4)
    // Not by `once`, which takes the reset of a cut connection for a failure.
    await new Promise<unknown>(closed => socket.once('close', closed))
    clearInterval(dripping)
  })

  it('leaves a slow body in peace that gets on, however long it takes', async () => {
    const rounds = 12
    const chunk = 'x'.repeat(minBytes)
    const socket = begin(rounds * chunk.length + 2)
    socket.write('"')
    for (let sent = 0; sent < rounds; sent++) {
      socket.write(chunk)
      const before = performance.now()
      await until(() => performance.now() - before > everyMs / 2)
    }
    socket.write('"')
    await until(() => release !== undefined)
    release()
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
    socket.destroy()
  })

  it('has nothing to say about the time that an answer takes', async () => {
    const socket = begin(2)
    socket.write('{}')
    await until(() => release !== undefined)
    const before = performance.now()
    await until(() => performance.now() - before > 3 * everyMs)
    release()
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
    socket.destroy()
  })
})
