import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestApi, type TestApi } from '../test-api.ts'

let keyless: TestApi
let keyed: TestApi
beforeAll(async () => {
  keyless = await openTestApi({ config: { server: { public_url: 'https://baton.example.com:8443/api' } } })
  keyed = await openTestApi({ config: { api_keys: ['the-key'] } })
})
afterAll(async () => {
  await keyless[Symbol.asyncDispose]()
  await keyed[Symbol.asyncDispose]()
})

interface Asked {
  readonly target?: string
  readonly version?: string
  readonly method?: string
}

/** As it is written: no client lets a request be so free. */
const ask = async (
  api: TestApi,
  headers: readonly string[],
  { target = '/v1/jobs', version = '1.1', method = 'GET' }: Asked = {},
): Promise<readonly [status: number, code: string | null]> => {
  const { hostname, port } = new URL(api.url)
  const socket = connect(Number(port), hostname)
  const lines = [`${method} ${target} HTTP/${version}`, ...headers, 'connection: close', '', '']
  socket.write(lines.join('\r\n'))
  const answer = await text(socket)
  const code = /"(?:error_)?code":"(\w+)"/.exec(answer)?.[1] ?? null
  return [Number(answer.split(' ')[1]), code]
}

const served = [200, null]
const refused = [403, 'host_forbidden']

describe('the Host header', () => {
  describe('without keys', () => {
    it.each([
      'localhost',
      'LocalHost:8000',
      'localhost:1',
      '127.0.0.1',
      '127.0.0.1:8000',
      '127.200.3.4:80',
      '[::1]',
      '[::1]:8000',
      '[0:0:0:0:0:0:0:1]:8000',
      '[::ffff:127.0.0.1]:8000',
      'baton.example.com',
      'BATON.example.com:9000',
    ])('serves the host %s', async host => {
      expect(await ask(keyless, [`host: ${host}`])).toEqual(served)
    })

    it('judges each request by its own host, whatever came before', async () => {
      const hosts = ['localhost', 'localhost', 'evil.example', 'evil.example', 'localhost']
      const answers: unknown[] = []
      for (const host of hosts) answers.push(await ask(keyless, [`host: ${host}`]))
      expect(answers).toEqual([served, served, refused, refused, served])
    })

    it.each([
      'evil.example',
      'evil.example:8000',
      'localhost.evil.example',
      'evil.localhost',
      'localhost.',
      'notlocalhost',
      '127.0.0.1.evil.example',
      '127.0.0.1.nip.io:8000',
      '0.0.0.0:8000',
      '10.0.0.1',
      '[::]',
      '[::2]:8000',
      '128.0.0.1',
      'evil.example@localhost',
      'localhost@evil.example',
      'localhost/evil.example',
      'evil.example#localhost',
      'localhost, evil.example',
      'localhost:8000:1',
      'baton.example.com.evil.example',
      'sub.baton.example.com',
      '',
    ])('refuses the host "%s"', async host => {
      expect(await ask(keyless, [`host: ${host}`])).toEqual(refused)
    })

    it.each([
      '/healthz',
      '/readyz',
      '/metrics',
      '/openapi.json',
      '/v1/providers',
      '/v1/files',
      '/v1/messages/batches',
      `/v1/jobs/job_${'0'.repeat(26)}`,
      '/nowhere',
    ])('refuses a foreign host on %s', async target => {
      expect(await ask(keyless, ['host: evil.example'], { target })).toEqual(refused)
    })

    it.each(['POST', 'DELETE', 'PUT', 'OPTIONS', 'HEAD'])('refuses a foreign host for %s', async method => {
      const answer = await ask(keyless, ['host: evil.example', 'content-length: 0'], { method })
      expect(answer[0]).toBe(403)
    })

    it('goes by the host of a target that is a whole URL, and by the header as well', async () => {
      const own = ['host: localhost']
      expect(await ask(keyless, own, { target: 'http://localhost:8000/v1/jobs' })).toEqual(served)
      expect(await ask(keyless, own, { target: 'http://evil.example/v1/jobs' })).toEqual(refused)
      expect(await ask(keyless, own, { target: 'HTTPS://localhost@evil.example/v1/jobs' })).toEqual(refused)
      expect(await ask(keyless, ['host: evil.example'], { target: 'http://localhost/v1/jobs' })).toEqual(
        refused,
      )
    })

    it('believes nothing that proxies add', async () => {
      const forwarded = [
        'x-forwarded-host: localhost',
        'forwarded: host=localhost',
        'x-original-host: localhost',
      ]
      expect(await ask(keyless, ['host: evil.example', ...forwarded])).toEqual(refused)
      expect(await ask(keyless, ['host: localhost', 'x-forwarded-host: evil.example'])).toEqual(served)
    })

    it('takes one host, and of a client of HTTP/1.0 none', async () => {
      const both = ['host: localhost', 'host: evil.example']
      expect(await ask(keyless, both)).toEqual([400, 'invalid_request'])
      expect(await ask(keyless, both.toReversed())).toEqual([400, 'invalid_request'])
      expect(await ask(keyless, [])).toEqual([400, 'invalid_request'])
      expect(await ask(keyless, [], { version: '1.0' })).toEqual(served)
    })

    it("answers in Anthropic's shape where Anthropic's clients ask", async () => {
      const { hostname, port } = new URL(keyless.url)
      const socket = connect(Number(port), hostname)
      socket.write('GET /v1/messages/batches HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n')
      expect(await text(socket)).toContain('"type":"permission_error"')
    })
  })

  it('serves any host where a key is asked for', async () => {
    const key = 'authorization: Bearer the-key'
    expect(await ask(keyed, ['host: baton.internal:8000', key])).toEqual(served)
    expect(await ask(keyed, ['host: baton.internal'])).toEqual([401, 'invalid_api_key'])
  })
})
