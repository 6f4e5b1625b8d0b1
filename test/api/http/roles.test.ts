import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { routeRights } from '../../../src/api/http/route-rights.ts'
import { field, file, postForm } from '../forms.ts'
import { create as createMessageBatch } from '../message-batch-calls.ts'
import { routesOfApp } from '../routes-of-app.ts'
import { type Answer, call, chat, endJob, openTestApi, submitJob, type TestApi } from '../test-api.ts'

let api: TestApi
let keyless: TestApi
beforeAll(async () => {
  keyless = await openTestApi()
  api = await openTestApi({
    config: {
      api_keys: [
        'plain',
        { key: 'submitter', tenant: 'a' },
        { key: 'operator', tenant: 'ops', role: 'operator' },
      ],
    },
  })
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await keyless[Symbol.asyncDispose]()
})

const as = (key: string) => ({ authorization: `Bearer ${key}` })

/** With names that lead to nothing, so that nothing is changed. */
const ask = (of: TestApi, route: string, headers: Record<string, string> = {}): Promise<Answer> => {
  const [method, pattern] = route.split(' ') as [string, string]
  // The events of a page would never end.
  const topic = pattern === '/v1/admin/events' ? '?topics=nothing' : ''
  const path = pattern.replace(/:\w+/g, 'nothing').replace('*', 'nothing') + topic
  const body = method === 'POST' && { body: {} }
  return call(of, method, path, { headers, ...body })
}

const routes = Object.entries(routeRights)
const routesOf = (right: string): string[] =>
  routes.flatMap(([route, asks]) => (asks === right ? [route] : []))

describe('roles of API keys', () => {
  it('every route is in the table, and no other', () => {
    const registered = routesOfApp(api)
    expect(registered.length).toBeGreaterThan(35)
    expect(Object.keys(routeRights).toSorted()).toEqual(registered.toSorted())
  })

  it('a route that is not in the table is not served', async () => {
    const { installRights } = await import('../../../src/api/http/auth.ts')
    const { fastify } = await import('fastify')
    const app = fastify()
    installRights(app, routeRights)
    expect(() => app.get('/v1/forgotten', () => '')).toThrow('GET /v1/forgotten has no right in the table')
    expect(() => app.get('/__proto__', () => '')).toThrow()
  })

  describe.each(['plain', 'submitter'])('the key %s without a role', key => {
    it.each(routesOf('operate'))('may not %s', async route => {
      const answer = await ask(api, route, as(key))
      expect([answer.status, answer.json.error]).toEqual([
        403,
        {
          code: 'permission_denied',
          type: 'invalid_request_error',
          param: null,
          message: expect.stringContaining('`operator`'),
        },
      ])
      const head = await call(api, 'HEAD', '/v1/providers', { headers: as(key) })
      expect(head.status).toBe(403)
    })

    it.each([...routesOf('read'), ...routesOf('submit')])('may %s', async route => {
      expect([401, 403]).not.toContain((await ask(api, route, as(key))).status)
    })
  })

  it.each(routes.map(([route]) => route))(
    'an operator may %s, and so may everybody without keys',
    async route => {
      expect([401, 403]).not.toContain((await ask(api, route, as('operator'))).status)
      expect([401, 403]).not.toContain((await ask(keyless, route)).status)
    },
  )

  it.each(routes)('%s asks for a key unless it is open: %s', async (route, right) => {
    expect((await ask(api, route)).status === 401).toBe(right !== 'open')
  })

  it('looks at the key before the role, and at the role before the body', async () => {
    const broken = { body: 'nonsense', headers: { 'content-type': 'text/html', ...as('plain') } }
    const answer = await call(api, 'POST', '/v1/providers/openai/pause', broken)
    expect([answer.status, answer.json.error.code]).toEqual([403, 'permission_denied'])
    expect(api.parts.circuits.of('openai').pausedAtMs).toBe(0)
  })

  describe('what is of another tenant', () => {
    const secret = `whsec_${'A'.repeat(32)}`
    const owner = { headers: as('submitter') }

    /** One of each kind, with the paths on which it can be named. */
    const made = async (): Promise<Readonly<Record<string, string>>> => {
      const webhook = { url: 'https://192.0.1.1/hook?token=s3cret', secret }
      const job = await submitJob(api, { webhook }, owner)
      await endJob(api, job.id)
      await api.parts.deliveries.jobs.recordDelivery(job.id, 0, { status: 'dead', reason: 'http_410' })
      const line = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: chat() }
      const parts = [field('purpose', 'batch'), file(JSON.stringify(line))]
      const input = await postForm(api, '/v1/files', parts, owner)
      const body = {
        input_file_id: input.json.id,
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
      }
      const batch = await call(api, 'POST', '/v1/batches', { body: { ...body, webhook }, ...owner })
      const announced = { filename: 'x.jsonl', purpose: 'batch', bytes: 2, mime_type: 'application/jsonl' }
      const upload = await call(api, 'POST', '/v1/uploads', { body: announced, ...owner })
      const messages = await createMessageBatch(api, undefined, owner.headers)
      return {
        '/v1/jobs': job.id,
        '/v1/files': input.json.id,
        '/v1/batches': batch.json.id,
        '/v1/uploads': upload.json.id,
        '/v1/messages/batches': messages.id,
        '/v1/dead-letters': job.id,
      }
    }

    it('is not there, on any path that can name it, for any role', async () => {
      const ids = await made()
      // Operators alone may ask for these, and see them of all tenants.
      const ofOperators = /^\w+ \/v1\/(?:admin\/|jobs\/:id\/content$)/
      const named = Object.keys(routeRights).filter(
        route => route.includes('/:id') && !ofOperators.test(route),
      )
      expect(named.length).toBeGreaterThan(18)
      for (const route of named) {
        const [method, pattern] = route.split(' ') as [string, string]
        const [, kind] = /^(.*)\/:id/.exec(pattern)!
        const path = pattern.replace(':id', ids[kind!]!)
        // An operator sends letters of any tenant again.
        const strangers = route === 'POST /v1/dead-letters/:id/redeliver' ? ['plain'] : ['plain', 'operator']
        for (const key of strangers) {
          const { status, text } = await call(api, method, path, bodyFor(route, as(key)))
          expect([route, status, text]).toEqual([route, 404, expect.stringContaining('_not_found')])
        }
      }
      for (const [kind, id] of Object.entries(ids)) {
        if (kind === '/v1/dead-letters' || kind === '/v1/uploads') continue
        expect([kind, (await call(api, 'GET', `${kind}/${id}`, owner)).status]).toEqual([kind, 200])
      }
    })

    it('is shown to operators without the query of its webhook', async () => {
      const ids = await made()
      const { text } = await call(api, 'GET', `/v1/jobs/${ids['/v1/jobs']}`, owner)
      expect(text).toContain('s3cret')
      const seen: string[] = []
      for (const path of [
        ...['/v1/jobs?tenant=*', '/v1/jobs?tenant=*&view=row', `/v1/jobs/${ids['/v1/jobs']}?view=operator`],
        ...['/v1/dead-letters?tenant=*', '/v1/admin/webhooks', '/v1/admin/overview', '/v1/admin/batches'],
        `/v1/admin/batches/${ids['/v1/batches']}`,
      ])
        seen.push((await call(api, 'GET', path, { headers: as('operator') })).text)
      const again = `/v1/dead-letters/${ids['/v1/dead-letters']}/redeliver`
      seen.push((await call(api, 'POST', again, { headers: as('operator') })).text)
      expect(seen.filter(text => text.includes('https://192.0.1.1')).length).toBeGreaterThan(5)
      expect(seen.join()).not.toContain('s3cret')
    })

    it('is in no list', async () => {
      const ids = await made()
      for (const [kind, id] of Object.entries(ids)) {
        if (kind === '/v1/uploads') continue
        expect((await call(api, 'GET', kind, owner)).text).toContain(id)
        for (const key of ['plain', 'operator']) {
          const answer = await call(api, 'GET', kind, { headers: as(key) })
          expect([kind, answer.status]).toEqual([kind, 200])
          expect(answer.text).not.toContain(id)
        }
      }
    })
  })

  /** Good ones, so that it is the owner that is wrong. */
  const bodyFor = (route: string, headers: Record<string, string>) => {
    if (route.endsWith('/parts')) {
      const { boundary, ...form } = { boundary: 'x', 'content-type': 'multipart/form-data; boundary=x' }
      const body = `--${boundary}\r\ncontent-disposition: form-data; name="data"; filename="x"\r\n\r\n{}\r\n--x--\r\n`
      return { headers: { ...headers, ...form }, body }
    }
    return route.startsWith('POST /v1/uploads/:id/complete')
      ? { headers, body: { part_ids: ['part_1'] } }
      : { headers }
  }
})
