import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configSchema } from '../../../src/config/schema.ts'
import { call, chat, openTestApi, type TestApi } from '../test-api.ts'

const page = { origin: 'https://app.example.com' }
const foreign = { origin: 'https://evil.example' }
const key = { authorization: 'Bearer the-key' }

let listed: TestApi
let keyless: TestApi
let open: TestApi
let closed: TestApi
beforeAll(async () => {
  const cors_origins = [page.origin, 'app://desktop']
  listed = await openTestApi({ config: { api_keys: ['the-key'], server: { cors_origins } } })
  keyless = await openTestApi({ config: { server: { cors_origins } } })
  open = await openTestApi({ config: { api_keys: ['the-key'], server: { cors_origins: ['*'] } } })
  closed = await openTestApi({ config: { api_keys: ['the-key'] } })
})
afterAll(async () => {
  for (const api of [listed, keyless, open, closed]) await api[Symbol.asyncDispose]()
})

/** What a browser sends before a request that a page may not make by itself. */
const preflight = (api: TestApi, origin: Record<string, string>, path = '/v1/chat/completions') =>
  call(api, 'OPTIONS', path, {
    headers: {
      ...origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-stainless-lang',
    },
  })

describe('CORS', () => {
  describe('a page of a listed origin', () => {
    it.each(['/v1/chat/completions', '/v1/jobs/job_1/cancel', '/nowhere'])(
      'is told before it sends what it may send to %s',
      async path => {
        for (const api of [listed, keyless]) {
          const { status, headers, text } = await preflight(api, page, path)
          expect([status, text]).toEqual([204, ''])
          expect(headers.get('access-control-allow-origin')).toBe(page.origin)
          expect(headers.get('access-control-allow-headers')).toBe(
            'authorization,content-type,x-stainless-lang',
          )
          expect(headers.get('access-control-allow-methods')).toContain('POST')
          expect(headers.get('access-control-allow-credentials')).toBeNull()
          expect(headers.get('vary')).toBe('Origin')
        }
      },
    )

    it('may read answers, refusals among them, and the headers that clients go by', async () => {
      for (const more of [key, {}]) {
        const { status, headers } = await call(listed, 'GET', '/v1/jobs', { headers: { ...page, ...more } })
        expect(status).toBe(more === key ? 200 : 401)
        expect(headers.get('access-control-allow-origin')).toBe(page.origin)
        expect(headers.get('access-control-expose-headers')).toContain('x-request-id')
        expect(headers.get('vary')).toBe('Origin')
      }
      const app = await call(keyless, 'GET', '/v1/jobs', { headers: { origin: 'app://desktop' } })
      expect([app.status, app.headers.get('access-control-allow-origin')]).toEqual([200, 'app://desktop'])
    })

    it('may send bodies of any type', async () => {
      const body = JSON.stringify({ body: chat() })
      const headers = { ...page, 'content-type': 'text/plain', 'sec-fetch-site': 'cross-site' }
      expect((await call(keyless, 'POST', '/v1/jobs', { body, headers })).status).toBe(202)
      expect((await call(listed, 'POST', '/v1/jobs', { body, headers: { ...headers, ...key } })).status).toBe(
        202,
      )
    })

    it('may reach a private network from a public one', async () => {
      const headers = {
        ...page,
        'access-control-request-method': 'GET',
        'access-control-request-private-network': 'true',
      }
      const answer = await call(keyless, 'OPTIONS', '/v1/jobs', { headers })
      expect(answer.headers.get('access-control-allow-private-network')).toBe('true')
    })
  })

  describe('a page of another origin', () => {
    it('is told nothing', async () => {
      for (const api of [listed, closed]) {
        const asked = await preflight(api, foreign)
        expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([405, null])
        const answer = await call(api, 'GET', '/v1/jobs', { headers: { ...foreign, ...key } })
        expect(answer.headers.get('access-control-allow-origin')).toBeNull()
      }
      const refused = await preflight(keyless, foreign)
      expect([refused.status, refused.json.error.code]).toEqual([403, 'cross_site_forbidden'])
      expect(refused.headers.get('access-control-allow-origin')).toBeNull()
    })

    it('is let in by *, with its key', async () => {
      const asked = await preflight(open, foreign)
      expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
      expect((await call(open, 'GET', '/v1/jobs', { headers: foreign })).status).toBe(401)
      expect((await call(open, 'GET', '/v1/jobs', { headers: { ...foreign, ...key } })).status).toBe(200)
    })
  })

  it('lets pages read every header of our own', async () => {
    const { headers } = await call(open, 'GET', '/healthz', { headers: page })
    const exposed = headers.get('access-control-expose-headers')!.split(', ')
    const root = join(import.meta.dirname, '../../..')
    const sources = globSync('src/api/**/*.ts', { cwd: root }).map(name =>
      readFileSync(join(root, name), 'utf8'),
    )
    const set = sources.flatMap(code => code.match(/(?<=\.header\(')x-[a-z-]+/g) ?? [])
    expect(set).toContain('x-baton-job-id')
    const ours = set.filter(name => name !== 'x-content-type-options')
    expect([...new Set(ours)].filter(name => !exposed.includes(name))).toEqual([])
  })

  it.each([
    ['https://app.example.com', true],
    ['http://localhost:3000', true],
    ['capacitor://localhost', true],
    ['*', true],
    ['null', false],
    ['https://app.example.com/', false],
    ['https://app.example.com:443', false],
    ['https://App.example.com', false],
    ['https://*.example.com', false],
    ['app.example.com', false],
    ['https://app.example.com/path', false],
    ['https://user@app.example.com', false],
    ['', false],
  ])('cors_origins may name "%s": %s', (origin, isTaken) => {
    expect(configSchema.safeParse({ server: { cors_origins: [origin] } }).success).toBe(isTaken)
  })
})
