import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { readForm } from '../../../src/api/http/multipart.ts'
import { boundary, file, formOf } from '../forms.ts'

/** Reads a form when `isTime` says so, of a client that sends `share` of it and goes. */
const readOfGone = async (share: number, isTime: (raw: IncomingMessage) => Promise<unknown>) => {
  // Short enough for all of it to be taken in unread: otherwise the end of the connection is not seen either.
  const form = formOf([file('x'.repeat(200))])
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const server = createServer(raw => {
    isTime(raw)
      .then(() => readForm({ raw }, 'file', async ({ bytes }) => Array.fromAsync(bytes)))
      .then(resolve, reject)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const head = `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=${boundary}\r\ncontent-length: ${form.length}\r\n\r\n`
  socket.write(head)
  socket.write(form.subarray(0, form.length * share), () => socket.destroy())
  try {
    return await promise
  } finally {
    server.close()
  }
}

const closed = (raw: IncomingMessage): Promise<unknown> =>
  new Promise(resolve => raw.on('error', () => undefined).once('close', resolve))

describe('a client that is gone', () => {
  it.each([
    ['some of the form came', 0.5],
    ['all of it came', 1],
  ])('a form is given up whose client is gone before it is read, though %s', async (_, share) => {
    await expect(readOfGone(share, closed)).rejects.toMatchObject({ code: 'invalid_multipart' })
  })

  it('a form is given up whose client goes while it is read', async () => {
    await expect(readOfGone(0.5, async () => undefined)).rejects.toMatchObject({ code: 'invalid_multipart' })
  })
})
