import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { patience } from '../../support/patience.ts'
import { openPage } from '../operator/page-events.ts'
import { type Call, call, openTestApi, submitJob, type TestApi } from '../test-api.ts'

const keys = [
  { key: 'submitter', tenant: 'a' },
  { key: 'operator', tenant: 'ops', role: 'operator' },
]

let api: TestApi
beforeAll(async () => {
  api = await openTestApi({ config: { api_keys: keys, ui: { enabled: true } } })
})
afterAll(() => api[Symbol.asyncDispose]())

/** As the page sends it: a browser adds the first two by itself. */
const own = (more: Record<string, string> = {}) => ({
  'sec-fetch-site': 'same-origin',
  origin: api.url,
  'x-baton-ui': '1',
  ...more,
})
const signIn = (key: string, headers = own()) => call(api, 'POST', '/ui/session', { body: { key }, headers })
const cookieOf = async (): Promise<string> =>
  (await signIn('operator')).headers.get('set-cookie')!.split(';')[0]!
const withCookie = async (method: string, path: string, { headers = {}, ...more }: Call = {}) =>
  call(api, method, path, { ...more, headers: { cookie: await cookieOf(), ...headers } })

describe('the page', () => {
  it('is not there unless the config says so', async () => {
    await using plain = await openTestApi()
    for (const path of ['/ui', '/ui/providers', '/ui/session'])
      expect((await call(plain, 'GET', path)).status).toBe(404)
  })

  it('is a document that loads nothing from elsewhere, with files that never change', async () => {
    const page = await call(api, 'GET', '/ui/providers/openai')
    expect(page.status).toBe(200)
    expect(page.headers.get('cache-control')).toBe('no-cache')
    const policy = page.headers.get('content-security-policy')!
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "trusted-types 'none'",
      "frame-ancestors 'none'",
    ])
      expect(policy).toContain(rule)
    expect(policy).not.toContain('unsafe')
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link!)
    expect(links).toHaveLength(3)
    for (const link of links) {
      const file = await call(api, 'GET', link)
      expect([link, file.status]).toEqual([link, 200])
      expect(file.headers.get('cache-control')).toContain('immutable')
    }
    expect((await call(api, 'GET', '/ui/assets/../../package.json')).text).not.toContain('dependencies')
    expect((await call(api, 'GET', '/ui/assets/nothing.js')).status).toBe(404)
  })
})

describe('signing in', () => {
  it('gives an operator a cookie that no script reads, of which Redis has a hash alone', async () => {
    const answer = await signIn('operator')
    expect(answer.json).toMatchObject({ role: 'operator', keyless: false, may_read_content: false })
    const cookie = answer.headers.get('set-cookie')!
    expect(cookie).toMatch(/^baton=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43\d\d\d$/)
    const secret = /=([\w-]+);/.exec(cookie)![1]!
    const kept = await api.redis.keys(`${api.prefix}:{ui}:session:*`)
    expect(kept.length).toBeGreaterThan(0)
    const texts = [...kept, ...(await api.redis.mget(kept))].join('\n')
    expect(texts).not.toContain(secret)
    expect(texts).not.toContain('operator')
  })

  it('refuses a key that may submit only in a sentence, and one that is none', async () => {
    expect(await signIn('submitter')).toMatchObject({
      status: 403,
      json: { error: { code: 'permission_denied', message: expect.stringContaining('for operators') } },
    })
    expect(await signIn('nobody')).toMatchObject({
      status: 401,
      json: { error: { code: 'invalid_api_key' } },
    })
  })

  it('takes no key in the clear from another machine', async () => {
    await using far = await openTestApi({
      config: { api_keys: keys, ui: { enabled: true }, server: { public_url: 'http://baton.example' } },
    })
    const headers = own({ origin: 'http://baton.example', host: 'baton.example' })
    const { request } = await import('undici')
    const answer = await request(`${far.url}/ui/session`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ key: 'operator' }),
    })
    expect([answer.statusCode, await answer.body.text()]).toEqual([
      403,
      expect.stringContaining('in the clear'),
    ])
  })

  it('marks the cookie for TLS alone where clients reach it so', async () => {
    await using far = await openTestApi({
      config: { api_keys: keys, ui: { enabled: true }, server: { public_url: 'https://baton.example' } },
    })
    const headers = own({ origin: 'https://baton.example' })
    const answer = await call(far, 'POST', '/ui/session', { body: { key: 'operator' }, headers })
    expect(answer.headers.get('set-cookie')).toMatch(/^__Host-baton=.*; Secure$/)
  })

  it('takes ten wrong keys a minute', async () => {
    await using fresh = await openTestApi({ config: { api_keys: keys, ui: { enabled: true } } })
    const headers = own({ origin: fresh.url })
    const statuses: number[] = []
    for (let i = 0; i < 11; i++)
      statuses.push((await call(fresh, 'POST', '/ui/session', { body: { key: `k${i}` }, headers })).status)
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429])
  })
})

describe('a session', () => {
  it('reads and acts as its key does', async () => {
    expect(
      (await withCookie('GET', '/v1/providers', { headers: { 'sec-fetch-site': 'same-origin' } })).status,
    ).toBe(200)
    const paused = await withCookie('POST', '/v1/providers/openai/pause', { headers: own() })
    expect([paused.status, paused.json.state]).toEqual([200, 'paused'])
    await withCookie('POST', '/v1/providers/openai/resume', { headers: own() })
  })

  it('counts only for what the page itself sends', async () => {
    const refused = async (method: string, path: string, headers: Record<string, string>) => {
      const { status, json } = await withCookie(method, path, { headers })
      expect([status, json.error.code]).toEqual([403, 'cross_site_forbidden'])
    }
    await refused(
      'POST',
      '/v1/providers/openai/pause',
      own({ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }),
    )
    await refused('POST', '/v1/providers/openai/pause', own({ 'sec-fetch-site': 'same-site' }))
    await refused('POST', '/v1/providers/openai/pause', { 'sec-fetch-site': 'same-origin', origin: api.url })
    await refused('POST', '/v1/providers/openai/pause', {
      'sec-fetch-site': 'same-origin',
      'x-baton-ui': '1',
    })
    await refused('GET', '/v1/providers', { 'sec-fetch-site': 'cross-site' })
    await refused('GET', '/v1/providers', {})
    const elsewhere = await signIn('operator', own({ origin: 'https://evil.example' }))
    expect(elsewhere.status).toBe(403)
  })

  it('reads no prompt and no answer unless `ui.show_content` is on', async () => {
    const headers = { 'sec-fetch-site': 'same-origin' }
    const { id } = await submitJob(api, {}, { headers: { authorization: 'Bearer operator' } })
    const paths = ['/v1/jobs', `/v1/jobs/${id}`, `/v1/jobs/${id}/stream`, '/v1/files/file-1/content']
    for (const path of paths) {
      const { status, json } = await withCookie('GET', path, { headers })
      expect([status, json.error.code]).toEqual([403, 'permission_denied'])
    }
    const { status, json } = await withCookie('GET', `/v1/jobs/${id}?view=operator`, { headers })
    expect([status, json.response]).toEqual([200, undefined])
    expect((await withCookie('GET', '/v1/jobs?view=row', { headers })).status).toBe(200)
  })

  it('is no key for completions', async () => {
    for (const path of ['/v1/chat/completions', '/v1/messages', '/v1/jobs'])
      expect((await withCookie('POST', path, { headers: own(), body: {} })).status).toBe(401)
  })

  it('ends when its browser signs out', async () => {
    const cookie = await cookieOf()
    const read = { headers: { cookie, 'sec-fetch-site': 'same-origin' } }
    expect((await call(api, 'GET', '/ui/session', read)).status).toBe(200)
    await call(api, 'DELETE', '/ui/session', { headers: own({ cookie }) })
    expect((await call(api, 'GET', '/ui/session', read)).status).toBe(401)
    expect((await call(api, 'GET', '/v1/providers', read)).status).toBe(401)
  })

  it('takes with it the stream of events that a page has open', async () => {
    const cookie = await cookieOf()
    await using page = await openPage(api.url, 'overview', { cookie, 'sec-fetch-site': 'same-origin' })
    await using other = await openPage(api.url, 'overview', {
      ...{ cookie: await cookieOf(), 'sec-fetch-site': 'same-origin' },
    })
    await call(api, 'DELETE', '/ui/session', { headers: own({ cookie }) })
    await page.ended
    const ticks = other.count('tick')
    await expect.poll(() => other.count('tick'), patience).toBeGreaterThan(ticks)
  })

  it('ends with its key', async () => {
    const cookie = await cookieOf()
    const { url, prefix } = { url: api.redis.options, prefix: api.prefix }
    await using other = await openTestApi({
      redis: { url: `redis://127.0.0.1:${url.port}`, prefix },
      config: { api_keys: [{ key: 'operator-2', role: 'operator' }], ui: { enabled: true } },
    })
    const read = { headers: { cookie, 'sec-fetch-site': 'same-origin' } }
    expect((await call(other, 'GET', '/v1/providers', read)).status).toBe(401)
  })
})

describe('without keys', () => {
  it('nobody signs in', async () => {
    await using keyless = await openTestApi({ config: { ui: { enabled: true } } })
    await submitJob(keyless)
    const { json } = await call(keyless, 'GET', '/ui/session')
    expect(json).toMatchObject({
      keyless: true,
      key_name: null,
      facets: { providers: ['openai', 'anthropic'] },
    })
  })
})
