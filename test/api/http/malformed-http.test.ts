import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, endJob, openTestApi, submitJob, type TestApi, waitedFor } from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

/** Sends text as it is and reads until the server ends the connection. */
const exchange = async (text: string, { halfClose = false } = {}): Promise<string> => {
  const socket = connect({ port: Number(new URL(api.url).port), host: '127.0.0.1', allowHalfOpen: true })
  let answer = ''
  socket.setEncoding('latin1').on('data', chunk => (answer += chunk))
  socket.on('error', () => undefined)
  if (halfClose) socket.end(text, 'latin1')
  else socket.write(text, 'latin1')
  await Promise.race([once(socket, 'end'), once(socket, 'close')])
  socket.destroy()
  return answer
}

const parsed = (answer: string) => {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head, error: JSON.parse(body).error }
}

const host = 'host: localhost\r\n'

describe('malformed HTTP', () => {
  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'invalid_request'],
    ['a header without a name', `GET /healthz HTTP/1.1\r\n${host}: x\r\n\r\n`, 400, 'invalid_request'],
    [
      'two lengths',
      `POST /v1/jobs HTTP/1.1\r\n${host}content-length: 1\r\ncontent-length: 2\r\n\r\n{}`,
      400,
      'invalid_request',
    ],
    [
      'a length beside chunks',
      `POST /v1/jobs HTTP/1.1\r\n${host}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n{}`,
      400,
      'invalid_request',
    ],
    ['no host', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'invalid_request'],
    [
      'long headers',
      `GET /healthz HTTP/1.1\r\n${host}x: ${'x'.repeat(17_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    ['a long path', `GET /${'x'.repeat(17_000)} HTTP/1.1\r\n${host}\r\n`, 431, 'headers_too_large'],
  ])('refuses %s in the shape of every error', async (_, text, status, code) => {
    const answer = parsed(await exchange(text))
    expect(answer).toMatchObject({ status, error: { code, type: 'invalid_request_error', param: null } })
    expect(answer.error.message).toMatch(/\.$/)
    expect(answer.head).toMatch(/^content-type: application\/json/im)
    expect(answer.head).toMatch(/^x-request-id: req_\w+/im)
  })

  it('refuses a request that breaks off', async () => {
    const text = `POST /v1/jobs HTTP/1.1\r\n${host}content-type: application/json\r\ncontent-length: 9\r\n\r\n{"bo`
    expect(parsed(await exchange(text, { halfClose: true }))).toMatchObject({ status: 400 })
  })

  it('tells a request that does not come to its end', async () => {
    // As Node does it, which looks only every half a minute.
    const late = Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
    api.app.server.once('connection', socket => api.app.server.emit('clientError', late, socket))
    const answer = await exchange('GET /healthz HTTP/1.1\r\n')
    expect(parsed(answer)).toMatchObject({ status: 408, error: { code: 'request_timeout' } })
  })

  it('answers what came before first, and only then what is malformed', async () => {
    const { id } = await submitJob(api)
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
    let answer = ''
    socket.on('data', chunk => (answer += chunk))
    socket.write(`GET /v1/jobs/${id} HTTP/1.1\r\n${host}prefer: wait=30\r\n\r\n`)
    socket.write(`GET /healthz HTTP/1.1\r\n${host}\r\nnonsense\r\n\r\n`)
    await waitedFor(api)
    socket.write('more nonsense\r\n\r\n')
    expect(answer).toBe('')
    await endJob(api, id)
    await once(socket, 'close')
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 400'])
    expect(answer.indexOf(id)).toBeLessThan(answer.indexOf('{"status":"ok"}'))
  })

  it('answers the path of a whole URL as it answers the path', async () => {
    const text = (method: string, path: string) =>
      `${method} http://localhost:1${path} HTTP/1.1\r\n${host}connection: close\r\n\r\n`
    const id = `msgbatch_${'0'.repeat(26)}`
    const [, body = ''] = (await exchange(text('GET', `/v1/messages/batches/${id}`))).split('\r\n\r\n')
    expect(JSON.parse(body)).toMatchObject({ type: 'error', error: { type: 'not_found_error' } })
    expect(parsed(await exchange(text('PUT', '/v1/jobs')))).toMatchObject({ status: 405 })
  })

  it('goes on with a request whose Expect it does not know', async () => {
    const text = `GET /healthz HTTP/1.1\r\n${host}expect: a-miracle\r\nconnection: close\r\n\r\n`
    expect(await exchange(text)).toMatch(/^HTTP\/1.1 200 /)
  })

  it('takes clients of HTTP/1.0, which name no host', async () => {
    expect(await exchange('GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /)
    expect((await call(api, 'GET', '/healthz')).status).toBe(200)
  })
})
