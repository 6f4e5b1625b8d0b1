import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { securityHeaders } from '../../../src/api/http/response-headers.ts'
import { field, file, postForm } from '../forms.ts'
import { call, openTestApi, submitJob, type TestApi } from '../test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await openTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const missingIn = (headers: Headers): string[] =>
  Object.entries(securityHeaders).flatMap(([name, value]) => (headers.get(name) === value ? [] : [name]))

describe('security headers', () => {
  it.each([
    ['an answer', '/v1/jobs', 200],
    ['a probe', '/healthz', 200],
    ['figures', '/metrics', 200],
    ['an error', '/v1/jobs/nonsense', 404],
    ['a path that is not there', '/nowhere', 404],
    ['a path that is no URL', '/v1/jobs/%zz', 400],
  ])('%s carries them', async (_, path, status) => {
    const answer = await call(api, 'GET', path)
    expect(answer.status).toBe(status)
    expect(missingIn(answer.headers)).toEqual([])
  })

  it('a stream and the bytes of a file carry them', async () => {
    const { id } = await submitJob(api)
    const signal = AbortSignal.timeout(30_000)
    const stream = await fetch(`${api.url}/v1/jobs/${id}`, {
      headers: { accept: 'text/event-stream' },
      signal,
    })
    expect(stream.headers.get('content-type')).toContain('event-stream')
    expect(missingIn(stream.headers)).toEqual([])
    await stream.body?.cancel()

    const posted = await postForm(api, '/v1/files', [field('purpose', 'user_data'), file('<script>')])
    const content = await fetch(`${api.url}/v1/files/${posted.json.id}/content`)
    expect(await content.text()).toBe('<script>')
    expect(missingIn(content.headers)).toEqual([])
  })

  it('an answer to what is no HTTP carries them', async () => {
    const { hostname, port } = new URL(api.url)
    const socket = connect(Number(port), hostname)
    socket.write('nonsense\r\n\r\n')
    const answer = await text(socket)
    expect(answer).toContain('HTTP/1.1 400')
    for (const [name, value] of Object.entries(securityHeaders))
      expect(answer).toContain(`${name}: ${value}\r\n`)
  })

  it('only a server that is reached over TLS asks for it', async () => {
    expect((await call(api, 'GET', '/healthz')).headers.has('strict-transport-security')).toBe(false)
    await using secure = await openTestApi({
      config: { server: { public_url: 'https://baton.example.com' } },
    })
    const { headers } = await call(secure, 'GET', '/healthz')
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains')
  })
})
